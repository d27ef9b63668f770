"""Following files while they grow."""

from pathlib import Path

import pytest

from harness.observation import LiveEvents
from tests.observation.event_lines import T0_NS, breaker, line


@pytest.fixture
def live() -> LiveEvents:
    return LiveEvents(t0_ns=T0_NS)


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_poll_returns_each_event_once(live: LiveEvents, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, line(0) + line(1))
    first = live.poll({"api.1": path})
    append(path, line(2))

    second = live.poll({"api.1": path})

    assert (len(first), len(second), live.poll({"api.1": path})) == (2, 1, [])


def test_line_that_is_half_written_waits_for_its_end(live: LiveEvents, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, line(0)[:10])
    early = live.poll({"api.1": path})
    append(path, line(0)[10:])

    assert (early, len(live.poll({"api.1": path}))) == ([], 1)


def test_file_that_is_not_there_yet_holds_nothing(live: LiveEvents, tmp_path: Path):
    assert live.poll({"api.1": tmp_path / "api.1.ndjson"}) == []


def test_newest_transition_is_the_state_of_a_breaker(live: LiveEvents, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, breaker(0, "open") + breaker(1, "half_open") + breaker(2, "open", name="other"))

    live.poll({"api.1": path})

    assert live.breaker_states() == {("api", "api-db"): "half_open", ("api", "other"): "open"}


def test_new_incarnation_forgets_the_breakers_of_the_one_before(live: LiveEvents, tmp_path: Path):
    old, new = tmp_path / "api.1.ndjson", tmp_path / "api.2.ndjson"
    append(old, breaker(0, "open"))
    live.poll({"api.1": old})
    append(new, line(0))

    live.poll({"api.1": old, "api.2": new})

    assert live.breaker_states() == {}
