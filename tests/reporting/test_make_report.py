"""The script that makes the Allure page, and the page: it opens from the disk and calls nobody."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.reporting.write import write_reports
from tests.reporting.sample_runs import sample_run

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "make_report.sh"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ALLURE = ROOT / "reports" / "allure" / "node_modules" / ".bin" / "allure"
REFERENCE = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)\s*=\s*[\"'](?:https?:)?//[^\"']*"
)
needs_allure = pytest.mark.skipif(
    shutil.which("node") is None or not ALLURE.exists(),
    reason="Allure 3 is not installed (npm ci in reports/allure)",
)


def make_report(*arguments, path=None, history=None):
    environ = {**os.environ, **({"PATH": path} if path else {})}
    if history is not None:
        environ["ATLAS_REPORT_HISTORY"] = str(history)
    return subprocess.run(
        ["/bin/bash", SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environ,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    write_reports([sample_run(folder / "run")], folder, root=Path.cwd())
    done = make_report("--gate", folder, history=folder / "history.jsonl")
    assert (folder / "report.html").is_file(), done.stdout + done.stderr
    return folder, done


@pytest.mark.slow
def test_folder_without_results_is_named_with_what_to_do(tmp_path):
    done = make_report(tmp_path)

    assert done.returncode == 4
    assert f"no results in {tmp_path}/allure-results; run scenarios first" in done.stderr


@pytest.mark.slow
def test_folder_with_an_empty_suite_is_refused(tmp_path):
    (tmp_path / "allure-results").mkdir()

    done = make_report(tmp_path)

    assert done.returncode == 4
    assert "holds no result" in done.stderr


@pytest.mark.slow
def test_unknown_option_is_refused():
    done = make_report("--gat")

    assert (done.returncode, done.stderr) == (
        4,
        "make_report: no option --gat; expected --gate or --gate-only\n",
    )


@pytest.mark.slow
def test_missing_node_is_named_with_its_version_and_what_there_is_instead(tmp_path):
    (tmp_path / "allure-results").mkdir()
    (tmp_path / "allure-results" / "a-result.json").write_text("{}")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dirname", "tail", "mktemp"):
        (programs / name).symlink_to(shutil.which(name))

    done = make_report(tmp_path, path=str(programs))

    assert done.returncode == 4
    assert "node is not installed; Allure 3 needs Node 20 or later" in done.stderr
    assert f"{tmp_path}/summary.md tells the same in text" in done.stderr


@needs_allure
@pytest.mark.slow
def test_gate_fails_for_a_failed_run_and_the_page_is_made_all_the_same(page):
    folder, done = page

    assert done.returncode == 1
    assert (folder / "allure-report" / "index.html").is_file()


@needs_allure
@pytest.mark.slow
def test_gate_writes_no_history_and_the_page_one_line(page):
    folder, _ = page

    assert len((folder / "history.jsonl").read_text().splitlines()) == 1


@needs_allure
@pytest.mark.slow
def test_no_page_refers_to_another_host(page):
    folder, _ = page
    pages = [folder / "report.html", *(folder / "allure-report").rglob("*.html")]

    assert len(pages) >= 4
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert REFERENCE.findall(text) == [], path
        assert "googletagmanager.com/gtag/js" not in text, path


def opened(url, folder):
    """Return what a browser without any network made of a page, and what the page asked for."""
    log = folder / "net.json"
    done = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=10000",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    events = json.loads(log.read_text(errors="replace"))["events"]
    asked = [event.get("params", {}) for event in events]
    # The browser asks for updates of its own; what a page from the disk asks for is keyed by it.
    return done.stdout, {
        params["url"]
        for params in asked
        if params.get("url", "").startswith("http")
        and params.get("network_isolation_key", "").startswith("file:")
    }


@pytest.mark.skipif(BROWSER is None, reason="neither Chromium nor Chrome is installed")
@pytest.mark.slow
def test_page_that_calls_somebody_would_be_caught(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<img src="https://example.com/picture.png">')

    _, asked = opened(f"file://{page}", tmp_path)

    assert asked == {"https://example.com/picture.png"}


@needs_allure
@pytest.mark.skipif(BROWSER is None, reason="neither Chromium nor Chrome is installed")
@pytest.mark.slow
def test_opened_page_shows_the_verdict_and_asks_nobody_for_anything(page, tmp_path):
    folder, _ = page
    found = json.loads((folder / "allure-report" / "test-results.json").read_text())["byId"]

    shown, asked = opened(f"file://{folder / 'report.html'}#{next(iter(found))}", tmp_path)

    assert "lookups recover after an outage" in shown
    assert "PropertyViolation: recovery_time(lookups)" in shown
    assert asked == set()
