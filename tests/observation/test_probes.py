"""Probes: bounded readings of anything that a service may answer."""

import asyncio
import json
import math
from typing import Any

import httpx
import pytest
from hypothesis import given, settings, strategies as st

from harness.clock import SystemClock
from harness.model.history import to_json
from harness.model.records import Probe, Record
from harness.model.scenario import AnswerFormat, ProbeCondition, ProbeSpec
from harness.observation import Probes, probes as probes_module, probing
from harness.observation.json_values import DEPTH_MAX, TEXT_MAX, VALUES_MAX, flatten
from tests.observation.raw_server import Handler, head, serving


def spec(every_s: float = 0.01, answer_format: AnswerFormat = AnswerFormat.JSON) -> ProbeSpec:
    return ProbeSpec(
        name="health",
        service="api",
        path="/v1/health?full=1",
        every_s=every_s,
        format=answer_format,
    )


def readings(
    handler: Handler,
    *,
    count: int = 1,
    every_s: float = 0.01,
    answer_format: AnswerFormat = AnswerFormat.JSON,
) -> list[Probe]:
    """Probe a server until there are `count` answers."""

    async def main() -> list[Probe]:
        found: list[Probe] = []
        is_enough = asyncio.Event()

        def record(answer: Record) -> None:
            assert isinstance(answer, Probe)
            found.append(answer)
            if len(found) >= count:
                is_enough.set()

        async with (
            serving(handler) as address,
            probing(
                [spec(every_s, answer_format)],
                addresses={"api": address},
                record=record,
                clock=SystemClock(),
                t0_ns=SystemClock().now_ns(),
            ),
        ):
            await asyncio.wait_for(is_enough.wait(), timeout=10.0)
        return found[:count]

    return asyncio.run(main())


def answering(content: bytes, status: str = "200 OK") -> Handler:
    async def handler(_number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status) + content)

    return handler


def test_answer_becomes_values_by_dotted_path():
    found = readings(
        answering(b'{"tasks": {"open": 2}, "level": "ok", "breakers": [{"s": true}]}')
    )[0]

    assert (found.probe, found.status, found.error) == ("health", 200, None)
    assert found.values == {"tasks.open": 2, "level": "ok", "breakers.0.s": True}
    assert found.t_ns >= 0


def test_probe_reads_again_and_again():
    found = readings(answering(b"1"), count=4, every_s=0.02)

    assert [probe.values for probe in found] == [{"": 1}] * 4
    assert found[3].t_ns - found[0].t_ns >= 0.04e9  # three intervals, the first and last may drift


def test_unhealthy_answer_is_read_too():
    found = readings(answering(b'{"level": "down"}', status="503 Service Unavailable"))[0]

    assert (found.status, found.values) == (503, {"level": "down"})


@pytest.mark.parametrize("content", [b"<html>", b"", b"\xff", b"[" * 100_000])
def test_answer_that_is_no_json_is_an_error_with_its_status(content: bytes):
    found = readings(answering(content))[0]

    assert (found.status, found.values) == (200, {})
    assert found.error is not None
    assert "no JSON" in found.error


def test_answer_with_nan_keeps_the_history_json():
    found = readings(answering(b'{"rate": NaN, "max": Infinity, "n": 1}'))[0]

    assert found.values == {"rate": "nan", "max": "inf", "n": 1}
    json.loads(to_json(found), parse_constant=pytest.fail)


def test_answer_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probes_module, "_ANSWER_BYTES_MAX", 1000)

    found = readings(answering(b'"' + b"x" * 100_000 + b'"'))[0]

    assert found.error == "the answer is longer than 1000 bytes"


def test_answer_that_does_not_come_is_an_error_after_its_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probes_module, "ANSWER_WITHIN_S", 0.05)

    async def handler(_number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + b"{")
        await asyncio.Event().wait()

    found = readings(handler)[0]

    assert found.status is None
    assert found.error is not None


def test_cut_connection_is_an_error_and_the_probe_goes_on():
    async def handler(number: int, writer: asyncio.StreamWriter) -> None:
        if number:
            writer.write(head() + b"7")

    found = readings(handler, count=2)

    assert found[0].error is not None
    assert found[1].values == {"": 7}


def test_service_that_is_not_there_is_an_error_whatever_a_proxy_would_answer(
    monkeypatch: pytest.MonkeyPatch,
):
    async def main() -> list[Record]:
        found: list[Record] = []
        clock = SystemClock()
        async with serving(answering(b"{}")) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
            addresses = {"api": "127.0.0.1:1"}
            async with probing(
                [spec()], addresses=addresses, record=found.append, clock=clock, t0_ns=0
            ):
                async with asyncio.timeout(5.0):
                    while not found:  # noqa: ASYNC110 -- the recorder is a plain list
                        await asyncio.sleep(0.005)
        return found

    error = asyncio.run(main())[0]

    assert isinstance(error, Probe)
    assert error.error is not None
    assert error.error.startswith("ConnectError")


def holds(values: dict[str, Any], value: str, equals: Any) -> bool:
    probes = Probes()
    probes.put(Probe(t_ns=0, probe="jobs", status=200, values=values))
    return probes.holds(ProbeCondition(probe="jobs", value=value, equals=equals))


@pytest.mark.parametrize(
    ("got", "wanted", "is_met"),
    [
        (0, 0, True),
        (0, 0.0, True),
        (0, False, False),
        (True, True, True),
        (1, True, False),
        ("ok", "ok", True),
        ("0", 0, False),
        (None, None, True),
    ],
)
def test_condition_compares_as_json_does(got: Any, wanted: Any, is_met: bool):  # noqa: FBT001
    assert holds({"open": got}, "open", wanted) is is_met


def test_condition_on_what_is_not_there_does_not_hold():
    assert not holds({"open": None}, "closed", None)
    assert not Probes().holds(ProbeCondition(probe="jobs", value="open", equals=None))


def test_failed_reading_ends_what_held_before():
    probes = Probes()
    condition = ProbeCondition(probe="jobs", value="open", equals=0)
    probes.put(Probe(t_ns=0, probe="jobs", status=200, values={"open": 0}))
    held = probes.holds(condition)

    probes.put(Probe(t_ns=1, probe="jobs", error="no answer"))

    assert (held, probes.holds(condition)) == (True, False)


def test_latest_is_none_before_the_first_answer():
    assert Probes().latest("jobs") is None


json_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


@settings(deadline=None)
@given(json_documents)
def test_values_of_any_document_are_bounded_scalars_that_json_can_say(document: Any):
    values = flatten(document)

    assert len(values) <= VALUES_MAX
    for value in values.values():
        assert value is None or isinstance(value, bool | int | float | str)
        assert not (isinstance(value, float) and not math.isfinite(value))
        assert not (isinstance(value, str) and len(value) > TEXT_MAX)


def test_document_deeper_than_the_bound_is_cut_off():
    document: Any = 1
    for _ in range(DEPTH_MAX + 1):
        document = {"d": document}

    assert flatten({"shallow": 1, "deep": document}) == {"shallow": 1}


def test_document_wider_than_the_bound_is_cut_off():
    assert len(flatten(list(range(10_000)))) == VALUES_MAX


def test_probe_never_follows_a_redirect():
    found = readings(
        answering(b"{}", status="307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/")
    )[0]

    assert found.status == httpx.codes.TEMPORARY_REDIRECT


def test_page_of_metrics_becomes_values_by_series():
    page = b'# TYPE calls_total counter\ncalls_total{to="db"} 7\n'

    found = readings(answering(page), answer_format=AnswerFormat.PROMETHEUS)[0]

    assert (found.status, found.error) == (200, None)
    assert found.values == {"calls_total{to=db}": 7}


def test_answer_that_is_no_page_of_metrics_is_an_error_with_its_status():
    found = readings(answering(b'{"calls": 7}'), answer_format=AnswerFormat.PROMETHEUS)[0]

    assert (found.status, found.values) == (200, {})
    assert found.error is not None
    assert "no page of metrics: line 1" in found.error
