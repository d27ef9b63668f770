"""The committed samples: of every verdict, small, from this version, and of nobody's machine."""

import json
from pathlib import Path

import pytest

from harness.model.verdict import Verdict
from harness.reporting.json_report import read_summary

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "reports" / "samples"
PICTURE_MAX_BYTES, ALL_MAX_BYTES = 200_000, 1_500_000


def test_samples_show_every_verdict_that_a_run_can_come_to():
    reports = read_summary((SAMPLES / "summary.json").read_text())

    shown = {report.verdict for report in reports}
    assert shown == set(Verdict) - {Verdict.SKIPPED}
    assert all(report.name.upper().startswith(str(report.verdict)) for report in reports)


def test_each_sample_has_a_result_of_allure_and_its_findings():
    names = {path.name for path in (SAMPLES / "runs").iterdir()}
    results = [json.loads(p.read_text()) for p in SAMPLES.glob("allure-results/*-result.json")]

    assert {result["name"].replace(" ", "_") for result in results} == names
    assert all((SAMPLES / "runs" / name / "findings.json").is_file() for name in names)


def test_there_are_pictures_in_the_light_in_the_dark_and_on_a_narrow_screen():
    shown = sorted(path.stem for path in (SAMPLES / "screenshots").glob("*.png"))

    for kind in ("light", "dark", "narrow"):
        assert any(name.startswith("failed") and name.endswith(kind) for name in shown)


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.png")), ids=lambda path: path.stem)
def test_pictures_are_small(path):
    assert path.stat().st_size < PICTURE_MAX_BYTES


def test_samples_stay_small_and_name_no_machine():
    files = [path for path in SAMPLES.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < ALL_MAX_BYTES
    texts = [path.read_text() for path in files if path.suffix != ".png"]
    assert not [text for text in texts if str(ROOT) in text]
