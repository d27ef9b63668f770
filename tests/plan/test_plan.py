"""What a plan refuses before anything is started, and what it counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.model.errors import PlanRefused
from harness.model.fault import Capability
from harness.plan import lanes, make_plan
from harness.scenario_files import load_scenario

ROOT = Path(__file__).parents[2]
ALL = frozenset(Capability)
LOAD = "lookups: {service: api, request: GET /v1/health, rate: 2/s}"


class Offering:
    """An environment that offers what a test says, and starts nothing."""

    name = "offering"

    def __init__(self, offered=ALL) -> None:
        self._offered = offered

    def offers(self):
        return self._offered

    def missing(self, _scenario):
        return []

    def proxy_for(self, _scenario):
        return ""

    def start(self, *_arguments):
        raise AssertionError("a plan starts nothing")


@pytest.fixture
def scenario(tmp_path):
    """Return a function that reads a scenario about Shadow Atlas from a timeline and more."""
    system = (ROOT / "scenarios" / "shadow_atlas.system.yaml").read_text()
    (tmp_path / "shadow_atlas.system.yaml").write_text(system)

    def read(timeline: str = "", *, load: str = LOAD, settle: str = "90s", baseline: str = "20s"):
        file = tmp_path / "planned.chaos.yaml"
        file.write_text(
            f"claim: it can be planned\nsystem: shadow_atlas\nload:\n  {load}\n"
            f"baseline: {baseline}\n{f'timeline: [{timeline}]' if timeline else ''}\n"
            f"settle: {{at_most: {settle}, hold: 5s}}\n"
            "checks: [{success_ratio: {load: lookups, during: run, at_least: 50%}}]\n"
        )
        return load_scenario(file, faults=FAULTS, checks=CHECKS)

    return read


def refusal(scenario, *, time_scale: float = 0.1, offered=ALL) -> str:
    with pytest.raises(PlanRefused) as caught:
        make_plan(scenario, time_scale=time_scale, environment=Offering(offered))
    return str(caught.value)


def test_a_fault_on_a_link_that_no_load_crosses_is_refused(scenario):
    text = refusal(scenario("{fault: down, link: batch -> tiger, at: 20s, for: 5s}"))

    assert (
        "acts on link 'batch -> tiger', which no load crosses; loads reach db, tiger, api" in text
    )


def test_a_fault_on_a_service_that_no_load_reaches_is_refused(scenario):
    text = refusal(scenario("{fault: kill, service: batch, at: 20s, for: 5s}"))

    assert "acts on service 'batch', which no load reaches" in text


def test_a_fault_that_the_environment_cannot_do_is_refused_with_what_it_lacks(scenario):
    timeline = "{fault: latency, link: api -> db, delay: 1s, share: 50%, at: 20s, for: 5s}"

    text = refusal(scenario(timeline), offered=ALL - {Capability.NETWORK_SHARE})

    assert "needs network_share control, which this environment does not offer" in text


def test_a_settle_shorter_than_the_open_time_of_the_breaker_is_refused(scenario):
    timeline = "{fault: down, link: api -> db, at: 20s, for: 5s}"

    text = refusal(scenario(timeline, settle="29s"))

    assert "settle of at most 29 s is shorter than the open time of breaker 'api-server'" in text


def test_a_baseline_that_cannot_show_enough_operations_is_refused(scenario):
    text = refusal(scenario(baseline="2s"))

    assert "offers 4 operations in the baseline of 2 s, but its steady state needs 20" in text


@pytest.mark.parametrize("second", ["pause", "disconnect"])
def test_two_absences_of_one_service_at_once_are_refused(scenario, second):
    timeline = (
        "{fault: kill, service: api, at: 20s, for: 10s}, "
        f"{{fault: {second}, service: api, at: 25s, for: 10s}}"
    )

    assert "overlap on service 'api'" in refusal(scenario(timeline))


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ("oom_kill, service: api", "kill, service: api", True),
        ("clock_skew, service: api, offset: 1h", "stop, service: api", True),
        ("disk_full, service: db", "disk_full, service: db, spare: 1MiB", True),
        ("cpu_quota, service: api, cores: 0.1", "cpu_quota, service: api, cores: 0.2", True),
        ("cpu_quota, service: api, cores: 0.1", "kill, service: api", False),
        ("disk_full, service: db", "clock_skew, service: api, offset: 1h", False),
    ],
)
def test_only_faults_that_spoil_each_other_may_not_overlap(scenario, first, second, is_refused):
    timeline = f"{{fault: {first}, at: 20s, for: 10s}}, {{fault: {second}, at: 25s, for: 10s}}"
    planned = scenario(timeline)

    if is_refused:
        assert "overlap on service" in refusal(planned)
    else:
        make_plan(planned, time_scale=0.1, environment=Offering())


@pytest.mark.parametrize(
    ("timeline", "load", "said"),
    [
        ("", LOAD, "breaker 'api-server' would be open for less than 0.5 s"),
        (
            "{fault: latency, link: api -> db, delay: 100ms, at: 20s, for: 5s}",
            LOAD,
            "would delay by less than 0.05 s",
        ),
        (
            "{fault: clock_skew, service: api, offset: -30s, at: 20s, for: 5s}",
            LOAD,
            "would be off by less than 10 s",
        ),
        ("", LOAD.replace("2/s", "50/s"), "would offer more than 1000/s"),
    ],
)
def test_a_time_scale_that_makes_nonsense_is_refused_with_one_that_works(
    scenario, timeline, load, said
):
    planned = scenario(timeline, load=load)

    text = refusal(planned, time_scale=0.01)

    assert said in text
    smallest = float(text.rpartition("from ")[2].split()[0])
    make_plan(planned, time_scale=smallest, environment=Offering())
    with pytest.raises(PlanRefused):
        make_plan(planned, time_scale=smallest * 0.95, environment=Offering())


def test_all_reasons_are_told_at_once(scenario):
    timeline = (
        "{fault: down, link: batch -> tiger, at: 20s, for: 5s}, "
        "{fault: kill, service: batch, at: 20s, for: 5s}"
    )

    assert len(refusal(scenario(timeline), time_scale=0.01).splitlines()) >= 3


def test_samples_are_counted_by_load_and_phase(scenario):
    timeline = "{fault: down, link: api -> db, at: 20s, for: 30s}"

    plan = make_plan(scenario(timeline), time_scale=0.1, environment=Offering())

    assert plan.samples == {"lookups": {"baseline": 40, "fault": 60, "settle": 180}}
    assert plan.services == ("db", "tiger", "api")
    assert plan.scenario.loads[0].rate_per_s == pytest.approx(20.0)


def test_samples_are_the_same_at_every_time_scale(scenario):
    planned = scenario("{fault: down, link: api -> db, at: 20s, for: 30s}")

    counts = [
        make_plan(planned, time_scale=scale, environment=Offering()).samples
        for scale in (0.05, 0.1, 0.3, 1.0)
    ]

    assert all(count == counts[0] for count in counts)


def test_a_bounded_load_counts_only_while_it_lasts(scenario):
    load = "lookups: {service: api, request: GET /v1/health, rate: 2/s, start: 10s, count: 30}"

    plan = make_plan(scenario(load=load), time_scale=1.0, environment=Offering())

    assert plan.samples["lookups"] == {"baseline": 20, "fault": 10, "settle": 0}


def test_lanes_show_every_phase_load_and_fault_in_one_width(scenario):
    planned = scenario("{fault: down, link: api -> db, at: 20s, for: 30s}")

    text = lanes(make_plan(planned, time_scale=0.1, environment=Offering()))

    lines = text.splitlines()
    for word in ("baseline", "fault", "settle", "lookups", "down api -> db"):
        assert any(line.strip().startswith(word) for line in lines[1:])
    assert len({line.index(" to ") for line in lines[1:]}) == 1


def test_a_scenario_is_scaled_only_once(scenario):
    planned = make_plan(scenario(), time_scale=0.5, environment=Offering()).scenario

    with pytest.raises(ValueError, match=r"was scaled by 0\.5 before"):
        make_plan(replace(planned), time_scale=0.5, environment=Offering())
