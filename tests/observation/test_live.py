"""Following breakers while the files of their services grow."""

from pathlib import Path

import pytest

from harness.observation import LiveBreakers
from tests.observation.event_lines import breaker, line


@pytest.fixture
def live() -> LiveBreakers:
    return LiveBreakers()


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_newest_transition_is_the_state_of_a_breaker(live: LiveBreakers, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, breaker(0, "open") + line(1) + breaker(2, "half_open"))
    append(path, breaker(3, "open", name="other"))

    assert live.not_closed({"api.1": path}) == ("api-db half open", "other open")


def test_breaker_that_closed_again_is_told_no_more(live: LiveBreakers, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, breaker(0, "open"))
    before = live.not_closed({"api.1": path})
    append(path, breaker(1, "closed"))

    after = live.not_closed({"api.1": path})

    assert (before, after) == (("api-db open",), ())


def test_line_that_is_half_written_waits_for_its_end(live: LiveBreakers, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, breaker(0, "open")[:60])
    early = live.not_closed({"api.1": path})
    append(path, breaker(0, "open")[60:])

    assert (early, live.not_closed({"api.1": path})) == ((), ("api-db open",))


def test_file_that_is_not_there_yet_holds_nothing(live: LiveBreakers, tmp_path: Path):
    assert live.not_closed({"api.1": tmp_path / "api.1.ndjson"}) == ()


def test_line_that_cannot_be_read_is_passed_over(live: LiveBreakers, tmp_path: Path):
    path = tmp_path / "api.1.ndjson"
    append(path, b'{"kind":"breaker"\n"breaker"\n' + line(1, "breakers") + breaker(2, "open"))

    assert live.not_closed({"api.1": path}) == ("api-db open",)


def test_new_incarnation_forgets_the_breakers_of_the_one_before(live: LiveBreakers, tmp_path: Path):
    old, new = tmp_path / "api.1.ndjson", tmp_path / "api.2.ndjson"
    append(old, breaker(0, "open"))
    live.not_closed({"api.1": old})
    append(new, line(0))

    assert live.not_closed({"api.1": old, "api.2": new}) == ()
