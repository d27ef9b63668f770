"""Toxicity is drawn by seed, per connection and stream."""

import asyncio
from pathlib import Path

from tests.proxy.live_site import connected, echo, in_loop, site, until, upstream

HALF = [
    {"name": stream, "type": "noop", "stream": stream, "toxicity": 0.5}
    for stream in ("upstream", "downstream")
]

Draws = dict[tuple[int, str, str], tuple[float, bool]]


async def draws(folder: Path, *, seed: int, at_once: bool) -> Draws:
    async with site(folder, seed=seed) as here, upstream(echo) as server:
        port = await here.proxy(server, *HALF)

        async def visit() -> None:
            async with connected(port) as client:
                await client.ask(b"x")

        if at_once:
            await asyncio.gather(*(visit() for _ in range(60)))
        else:
            for _ in range(60):
                await visit()
        await until(lambda: len(here.events("draw")) == 120)
        return {
            (each["connection"], each["stream"], each["toxic"]): (each["value"], each["acted"])
            for each in here.events("draw")
        }


@in_loop
async def test_the_same_seed_draws_the_same_in_whatever_order_events_come(tmp_path: Path):
    one_by_one = await draws(tmp_path / "a", seed=7, at_once=False)
    at_once = await draws(tmp_path / "b", seed=7, at_once=True)
    other_seed = await draws(tmp_path / "c", seed=8, at_once=False)

    assert one_by_one == at_once
    assert one_by_one != other_seed


@in_loop
async def test_half_a_toxicity_gives_all_four_combinations_of_the_streams(tmp_path: Path):
    drawn = await draws(tmp_path / "a", seed=7, at_once=False)

    combinations = {
        (drawn[(n, "upstream", "upstream")][1], drawn[(n, "downstream", "downstream")][1])
        for n in range(60)
    }
    acted = sum(acts for _, acts in drawn.values())
    assert combinations == {(a, b) for a in (True, False) for b in (True, False)}
    assert 27 < acted < 93  # six standard deviations of 120 fair coins


@in_loop
async def test_a_spared_connection_is_spared_for_its_whole_life(tmp_path: Path):
    toxic = {"type": "limit_data", "attributes": {"bytes": 1}, "toxicity": 0.5}
    async with site(tmp_path, seed=3) as here, upstream(echo) as server:
        port = await here.proxy(server, toxic)
        lived = []
        for _ in range(20):
            async with connected(port) as client:
                client.writer.write(b"ping")
                await client.writer.drain()
                first = await client.reader.read(4)
                if len(first) == 4:
                    lived.append(await client.ask(b"pong") == b"pong")
                else:
                    lived.append(False)
        acted = [each["acted"] for each in here.events("draw")]

    assert lived == [not each for each in acted]
    assert len(set(lived)) == 2
