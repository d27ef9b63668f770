"""Laws of the pipe: bytes are kept in order, and counted, whatever the chain and its changes."""

from collections.abc import Callable

from hypothesis import given, settings, strategies as st

from fault_injectors.toxics import (
    Bandwidth,
    Behaviour,
    Ending,
    Latency,
    LimitData,
    Noop,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.toxics.virtual_line import VirtualLine

MS = st.integers(0, 300)

LOSSLESS: st.SearchStrategy[Behaviour] = st.one_of(
    st.just(Noop()),
    st.builds(lambda delay, jitter: Latency(delay_s=delay / 1000, jitter_s=jitter / 1000), MS, MS),
    st.builds(lambda rate: Bandwidth(rate_bytes_per_s=rate * 1000), st.integers(1, 200)),
    st.builds(lambda delay: SlowClose(delay_s=delay / 1000), MS),
    st.builds(
        lambda average, delay: Slicer(
            average_size_bytes=average, size_variation_bytes=average // 2, delay_s=delay / 1e6
        ),
        st.integers(500, 5000),
        st.integers(0, 2000),
    ),
)
CUTTING: st.SearchStrategy[Behaviour] = st.one_of(
    st.builds(lambda size: LimitData(size_bytes=size), st.integers(0, 50_000)),
    st.builds(lambda after: ResetPeer(after_s=after / 1000), MS),
)
DROPPING: st.SearchStrategy[Behaviour] = st.builds(lambda after: Timeout(after_s=after / 1000), MS)

CHUNKS = st.lists(st.tuples(MS, st.integers(1, 50_000)), min_size=1, max_size=6)


@st.composite
def lines(draw: st.DrawFn, behaviours: st.SearchStrategy[Behaviour]) -> tuple[VirtualLine, bytes]:
    """A line with a chain, traffic, changes and back-pressure, ready to run; and what was sent."""
    chain = draw(st.lists(behaviours, max_size=3))
    toxicities = st.sampled_from([1.0, 0.5, 0.0])
    toxics = [
        Toxic(name=f"t{index}", behaviour=each, toxicity=draw(toxicities))
        for index, each in enumerate(chain)
    ]
    line = VirtualLine(*toxics, seed=draw(st.integers(0, 1000)))
    sent = b""
    for time_ms, size in sorted(draw(CHUNKS)):
        content = bytes((len(sent) + offset) % 251 for offset in range(size))
        sent += content
        line.feed(time_ms, content)
    for change in draw(st.lists(_changes(behaviours, toxics), max_size=4)):
        change(line)
    if draw(st.booleans()):
        line.block(draw(MS)).unblock(1000)
    line.finish(400)
    return line, sent


def _changes(
    behaviours: st.SearchStrategy[Behaviour], toxics: list[Toxic]
) -> st.SearchStrategy[Callable[[VirtualLine], object]]:
    def added(time_ms: int, behaviour: Behaviour, order: int) -> Callable[[VirtualLine], object]:
        toxic = Toxic(name=f"added{order}", behaviour=behaviour)
        return lambda line: line.add(time_ms, toxic)

    def updated(time_ms: int, toxic: Toxic) -> Callable[[VirtualLine], object]:
        return lambda line: line.at(time_ms, lambda: _update_if_there(line, toxic))

    def removed(time_ms: int, toxic: Toxic) -> Callable[[VirtualLine], object]:
        return lambda line: line.at(time_ms, lambda: _remove_if_there(line, toxic))

    changes = [st.builds(added, MS, behaviours, st.integers(0, 10**6))]
    if toxics:
        changes += [st.builds(each, MS, st.sampled_from(toxics)) for each in (updated, removed)]
    return st.one_of(changes)


def _update_if_there(line: VirtualLine, toxic: Toxic) -> None:
    if toxic in line.pipe.toxics:
        line.pipe.update(toxic, line.now_ns)


def _remove_if_there(line: VirtualLine, toxic: Toxic) -> None:
    if toxic in line.pipe.toxics:
        line.pipe.remove(toxic.name, line.now_ns)


@settings(max_examples=60, deadline=None)
@given(lines(LOSSLESS))
def test_toxics_that_drop_nothing_deliver_every_byte_in_order_and_then_the_end(
    case: tuple[VirtualLine, bytes],
):
    line, sent = case

    line.run()

    assert line.content == sent
    assert line.ending is not None
    assert line.ending[1] is Ending.FINISHED
    assert line.pipe.held_bytes == line.pipe.dropped_bytes == 0


@settings(max_examples=60, deadline=None)
@given(lines(st.one_of(LOSSLESS, CUTTING)))
def test_toxics_that_cut_deliver_a_prefix(case: tuple[VirtualLine, bytes]):
    line, sent = case

    line.run()

    assert sent.startswith(line.content)
    assert line.ending is not None


@settings(max_examples=60, deadline=None)
@given(lines(st.one_of(LOSSLESS, CUTTING, DROPPING)))
def test_every_byte_fed_was_delivered_or_dropped(case: tuple[VirtualLine, bytes]):
    line, _ = case

    line.run()

    pipe = line.pipe
    assert pipe.delivered_bytes == len(line.content)
    assert pipe.fed_bytes == pipe.delivered_bytes + pipe.dropped_bytes + pipe.held_bytes
    assert pipe.held_bytes == 0
    assert line.times_ms == sorted(line.times_ms)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), CHUNKS)
def test_the_same_seed_replays_the_same_run(seed: int, chunks: list[tuple[int, int]]):
    runs = []
    for _ in range(2):
        line = VirtualLine(
            Toxic(name="a", behaviour=Latency(delay_s=0.05, jitter_s=0.05), toxicity=0.5),
            Toxic(name="b", behaviour=Slicer(average_size_bytes=900, size_variation_bytes=300)),
            seed=seed,
        )
        for time_ms, size in chunks:
            line.feed(time_ms, bytes(size))
        runs.append(line.run())

    assert runs[0].arrivals == runs[1].arrivals
    assert runs[0].draws == runs[1].draws
