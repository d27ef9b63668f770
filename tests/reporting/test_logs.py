"""Logs are cut to the time of the faults and to a size that a page can hold."""

import json

import pytest

from harness.reporting.logs import LINE_MAX, LINES_MAX, READ_MAX_BYTES, log_cuts, unix_s_of


def write(folder, name, *lines):
    (folder / name).write_text("".join(f"{line}\n" for line in lines))


def cut(folder, start_s=100.0, end_s=110.0):
    return {item.service: item.text for item in log_cuts(folder, start_s, end_s)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1970-01-01T00:00:02Z started", 2.0),
        ("1970-01-01 01:00:02,500 +0100 INFO started", 2.5),
        ("[1970-01-01 00:00:02] started", 2.0),
        ('{"timestamp": "1970-01-01T00:00:02.250000Z"}', 2.25),
        ('{"ts": 7.5}', 7.5),
        ("1970-99-99 00:00:02 started", None),
        ('{"broken": ', None),
        ('{"event": "no time"}', None),
        ("started", None),
        (f"{'x' * 90} 1970-01-01 00:00:02", None),
    ],
)
def test_time_of_a_line_is_found_where_loggers_put_it(line, expected):
    assert unix_s_of(line) == expected


def test_lines_of_the_fault_window_are_kept_and_others_are_not(tmp_path):
    lines = [json.dumps({"event": f"at {t}", "wall_unix_s": t}) for t in (1.0, 105.0, 200.0)]
    write(tmp_path, "api.1.log", *lines)

    text = cut(tmp_path)["api"]

    assert "at 105.0" in text
    assert "at 1.0" not in text
    assert "at 200.0" not in text


def test_lines_without_a_time_belong_to_the_line_before_them(tmp_path):
    write(
        tmp_path,
        "api.1.log",
        "1970-01-01 00:00:01 before",
        "  not told",
        "1970-01-01 00:01:45 Traceback",
        "  told",
    )

    text = cut(tmp_path)["api"]

    assert "  told" in text
    assert "not told" not in text


def test_file_without_times_shows_its_end(tmp_path):
    write(tmp_path, "proxy.log", *(f"line {i}" for i in range(100)))

    text = cut(tmp_path)["proxy"]

    assert "line 99" in text
    assert "line 79" not in text


def test_incarnations_of_a_service_are_one_document(tmp_path):
    for name in ("api.1.log", "api.2.log"):
        write(tmp_path, name, "1970-01-01 00:01:45 here")

    text = cut(tmp_path)["api"]

    assert text.index("== api.1.log") < text.index("== api.2.log")


def test_service_without_a_word_has_no_document(tmp_path):
    write(tmp_path, "db.1.log")

    assert cut(tmp_path) == {}


def test_flood_is_bounded_and_says_how_much_is_missing(tmp_path):
    line = "1970-01-01 00:01:45 " + "x" * 2 * LINE_MAX
    write(tmp_path, "api.1.log", *[line] * 1000)

    text = cut(tmp_path)["api"]

    assert len(text) < (LINES_MAX + 5) * (LINE_MAX + 10)
    assert f"... {1000 - LINES_MAX} lines left out" in text


def test_only_the_end_of_a_huge_file_is_read(tmp_path):
    with (tmp_path / "api.1.log").open("wb") as file:
        file.truncate(50 * READ_MAX_BYTES)  # sparse: it takes no room
        file.seek(0, 2)
        file.write(b"\n1970-01-01 00:01:45 the end\n")

    assert "the end" in cut(tmp_path)["api"]
