"""The rules are what the template renders to, load, and fire exactly where their tests say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from ruamel.yaml import YAML

from harness.model.alert_rules import alert_names, render_rules
from tests.monitoring.programs import program

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
TEMPLATE = MONITORING / "alerts.template.yml"
RULES = MONITORING / "alerts.yml"
RULE_TESTS = sorted((MONITORING / "tests").glob("*.yml"))

GUIDE = {
    "HighRetryRate": (
        "rate(retry_attempts_total[5m]) > 10",
        "warning",
        "High retry rate for {{$labels.operation}}",
    ),
    "BulkheadRejections": (
        "rate(bulkhead_rejected_total[5m]) > 5",
        "warning",
        "Bulkhead {{$labels.name}} rejecting requests",
    ),
    "CircuitBreakerOpenCritical": (
        (
            "(time() - circuit_breaker_not_closed_since) > 300"
            " and circuit_breaker_not_closed_since > 0"
        ),
        "critical",
        "Circuit breaker {{$labels.name}} open >5 minutes",
    ),
}

# What makes an alert wrong without making it invalid; the tests of the rules have to notice.
MUTANTS = (
    ("> 300", "> 315"),
    ("> 300", "> 285"),
    ("_not_closed_since) > 300", "_last_state_change) > 300"),
    ("and circuit_breaker_not_closed_since > 0", ""),
    ("> 10\n", "> 9\n"),
    ("> 10\n", "> 11\n"),
    ("retry_attempts_total", "retry_exhausted_total"),
    ("> 5\n", "> 4\n"),
    ("> 5\n", "> 6\n"),
    ("ratio_rate1h > 14.4 * 0.01", "ratio_rate1h > 6 * 0.01"),
    ("ratio_rate5m > 14.4 * 0.01", "ratio_rate5m > 30 * 0.01"),
    ("and job:atlas_request_errors:ratio_rate1h > 14.4 * 0.01", ""),
    ("and job:atlas_request_errors:ratio_rate6h > 6 * 0.01", ""),
    ("5xx|unanswered", "5xx"),
    ("for: 1m", "for: 2m"),
    ("severity: critical", "severity: warning"),
)


def promtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [program("promtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def alerts() -> dict[str, dict]:
    document = YAML(typ="safe").load(RULES)
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def test_committed_rules_are_what_the_template_renders_to():
    done = subprocess.run(
        [sys.executable, MONITORING / "render.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_rules_that_differ_from_the_template_are_told(tmp_path):
    stale = tmp_path / "alerts.yml"
    stale.write_text(RULES.read_text().replace("> 300", "> 301"))

    done = subprocess.run(
        [sys.executable, MONITORING / "render.py", "--check", "--out", stale],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "alerts.template.yml" in done.stderr


@pytest.mark.parametrize("name", GUIDE)
def test_alert_has_the_bound_the_severity_and_the_words_of_the_guide(name):
    rule = alerts()[name]

    told = (rule["expr"], rule["labels"]["severity"], rule["annotations"]["summary"])
    assert told == GUIDE[name]


def test_every_alert_says_how_urgent_it_is_and_what_to_do():
    for rule in alerts().values():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


@pytest.mark.parametrize("time_scale", [1.0, 0.1, 0.05, 0.003])
def test_rules_load_at_every_time_scale(time_scale, tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(render_rules(TEMPLATE.read_text(), time_scale))

    done = promtool("check", "rules", path)

    assert done.returncode == 0, done.stderr


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not():
    fires, is_silent = set(), set()
    for path in RULE_TESTS:
        for test in YAML(typ="safe").load(path)["tests"]:
            for asked in test["alert_rule_test"]:
                (fires if asked["exp_alerts"] else is_silent).add(asked["alertname"])

    assert fires == is_silent == set(alert_names(TEMPLATE.read_text()))


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_rules_fire_where_their_tests_say(path):
    done = promtool("test", "rules", path)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("sound", "planted"), MUTANTS)
def test_rules_with_a_planted_defect_fail_their_tests(sound, planted, tmp_path):
    text = RULES.read_text()
    assert sound in text
    shutil.copytree(MONITORING / "tests", tmp_path / "tests")
    (tmp_path / "alerts.yml").write_text(text.replace(sound, planted))

    done = promtool("test", "rules", *sorted((tmp_path / "tests").glob("*.yml")))

    assert "FAILED" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("written", "scale", "rendered"),
    [
        ("${duration:5m}", 1.0, "5m"),
        ("${duration:5m}", 0.1, "30s"),
        ("${duration:1h30m}", 0.1, "9m"),
        ("${duration:1s}", 0.0001, "1ms"),
        ("${seconds:300}", 0.1, "30"),
        ("${seconds:300}", 1.0, "300"),
        ("${per_second:10}", 0.1, "100"),
        ("{{$labels.name}} $value", 0.1, "{{$labels.name}} $value"),
        ("# ${anything}", 0.1, "# ${anything}"),
    ],
)
def test_placeholder_is_rendered(written, scale, rendered):
    assert render_rules(written, scale) == rendered


@pytest.mark.parametrize(
    "written", ["${duration:5}", "${duration:}", "${minutes:5}", "${seconds:5m}", "${300}", "${}"]
)
def test_placeholder_that_means_nothing_is_told_with_its_line(written):
    with pytest.raises(ValueError, match=re.escape("line 3: expected ${duration:5m}")):
        render_rules(f"groups:\n\n  expr: x > {written}", 0.5)


@given(minutes=st.integers(1, 600), scale=st.sampled_from([0.5, 0.1, 0.05, 0.01]))
def test_windows_and_rates_scale_against_each_other_so_that_counts_stay(minutes, scale):
    window, rate = render_rules(f"${{duration:{minutes}m}} ${{per_second:7}}", scale).split(" ")
    units_s = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
    parts = re.findall(r"(\d+)(ms|[smhdwy])", window)

    window_s = sum(int(number) * units_s[unit] for number, unit in parts)

    assert window_s * float(rate) == pytest.approx(minutes * 60 * 7, rel=1e-5)
