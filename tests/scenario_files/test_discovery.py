"""Finding and reading files: what is named must exist, and a batch reads its system once."""

import pytest

from fault_injectors.catalogue import FAULTS
from harness.model.errors import FileProblems
from harness.scenario_files import SystemFiles, discover, load_scenario, load_system
from tests.scenario_files.small_catalogue import CHECKS
from tests.scenario_files.texts import SCENARIO, SYSTEM


@pytest.fixture
def folder(tmp_path):
    for name in ("b.chaos.yaml", "a.chaos.yaml", "old/c.chaos.yaml", ".hidden/d.chaos.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "small.system.yaml").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no scenario", encoding="utf-8")
    return tmp_path


def problems_of(*paths) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        discover(paths)
    return [str(problem) for problem in caught.value.problems]


def test_a_folder_stands_for_the_scenarios_below_it_in_order(folder):
    names = [path.relative_to(folder).as_posix() for path in discover([folder])]

    assert names == ["a.chaos.yaml", "b.chaos.yaml", "old/c.chaos.yaml"]


def test_files_keep_their_order_and_are_found_once(folder):
    second, first = folder / "b.chaos.yaml", folder / "a.chaos.yaml"

    assert discover([second, first, second]) == (second, first)


def test_an_empty_folder_holds_no_scenario(tmp_path):
    assert discover([tmp_path]) == ()


def test_a_path_that_does_not_exist_is_told_with_the_nearest_name(folder):
    path = folder / "aa.chaos.yaml"

    assert problems_of(path) == [f"{path}: no such file or folder; did you mean 'a.chaos.yaml'?"]


def test_every_wrong_path_is_told(folder):
    nowhere, notes = folder / "nowhere" / "x.chaos.yaml", folder / "notes.txt"

    assert problems_of(nowhere, notes) == [
        f"{notes}: expected a scenario, whose file name ends in '.chaos.yaml'",
        f"{nowhere}: no such file or folder",
    ]


def test_the_name_of_a_scenario_is_that_of_its_file(folder):
    scenario = load_scenario(folder / "a.chaos.yaml", faults=FAULTS, checks=CHECKS)

    assert (scenario.name, scenario.system.name) == ("a", "small")


def test_a_file_name_that_is_no_identifier_is_a_problem(folder):
    path = folder / "Not-a-name.chaos.yaml"
    path.write_text(SCENARIO, encoding="utf-8")

    with pytest.raises(FileProblems, match="the file's name: expected a name such as"):
        load_scenario(path, faults=FAULTS, checks=CHECKS)


def test_a_scenario_file_that_does_not_exist_is_a_problem(folder):
    with pytest.raises(
        FileProblems, match=r"no such file or folder; did you mean 'a\.chaos\.yaml'"
    ):
        load_scenario(folder / "ax.chaos.yaml", faults=FAULTS, checks=CHECKS)


def test_a_batch_reads_its_system_once(folder):
    systems = SystemFiles()

    first, second = (
        load_scenario(folder / name, faults=FAULTS, checks=CHECKS, systems=systems)
        for name in ("a.chaos.yaml", "b.chaos.yaml")
    )

    assert first.system is second.system


def test_a_broken_system_is_told_for_each_scenario_of_a_batch(folder):
    (folder / "small.system.yaml").write_text("services: 5\n", encoding="utf-8")
    systems = SystemFiles()

    for name in ("a.chaos.yaml", "b.chaos.yaml"):
        with pytest.raises(FileProblems, match="services: expected a mapping"):
            load_scenario(folder / name, faults=FAULTS, checks=CHECKS, systems=systems)


def test_a_file_that_is_too_long_is_not_read(tmp_path):
    path = tmp_path / "long.system.yaml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))

    with pytest.raises(FileProblems, match="is longer than 1 MiB, the most that is read"):
        load_system(path)


def test_bytes_that_are_not_utf_8_are_told_at_their_place(tmp_path):
    path = tmp_path / "latin.system.yaml"
    path.write_bytes(b"services:\n  caf\xe9: {}\n")

    with pytest.raises(
        FileProblems, match=r"latin\.system\.yaml:2:6: expected UTF-8, got the byte 0xe9"
    ):
        load_system(path)


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = tmp_path / "marked.system.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SYSTEM.encode())

    assert load_system(path).name == "marked"


def test_a_folder_is_no_system_file(tmp_path):
    with pytest.raises(FileProblems, match="cannot be read"):
        load_system(tmp_path)
