"""A missing program fails where it was promised, and is skipped where it was not."""

import pytest

from tests.monitoring.programs import program


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_missing_program_ends_the_test_with_what_to_install(ci, outcome, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match=r"amtool is not on PATH; .* prometheus-alertmanager"):
        program("amtool")
