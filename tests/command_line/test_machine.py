"""What `doctor` says of programs that only some scenarios need."""

from harness.command_line.machine_commands import MONITORING, program_lines
from harness.environments.prometheus_process import PROGRAM


def test_program_that_is_there_is_named_with_its_path_and_what_runs_it(tmp_path):
    found = tmp_path / "prometheus"
    found.touch(mode=0o755)

    told = next(program_lines(str(tmp_path)))

    assert told.split(maxsplit=1) == [
        "prometheus",
        f"{found}; scenarios with 'alerts' and the check 'alert' run it",
    ]


def test_program_that_is_missing_is_told_with_its_package_and_what_lacks_it(tmp_path):
    told = list(program_lines(str(tmp_path)))

    assert len(told) == len(MONITORING)
    for program, line in zip(MONITORING, told, strict=True):
        assert f"not installed (Debian: apt-get install {program.package})" in line
        assert line.endswith(program.needed_by)


def test_doctor_looks_for_the_prometheus_that_runs_start():
    assert PROGRAM in [program.name for program in MONITORING]
