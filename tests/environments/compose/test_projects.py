"""A project is lent to one run at a time, and only as the run before should have left it."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.environments.compose import projects as pool
from harness.environments.compose.projects import Projects, Wish
from harness.environments.compose.stack import Stack

STACK = Stack(file=Path("compose.yml"), services={})
OTHER = Stack(file=Path("other.yml"), services={})


class MadeUp:
    """A project of no engine; a test says what is wrong with it."""

    def __init__(self, name: str, stack: Stack) -> None:
        self.id = name
        self.stack = stack
        self.prepared = ""
        self.wrong: list[str] = []

    async def surprises(self) -> list[str]:
        return self.wrong


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """Return what is made and removed, in order."""
    notes: list[str] = []

    @asynccontextmanager
    async def standing(name, stack, **_):
        notes.append(f"made {name}")
        try:
            yield MadeUp(name, stack)
        finally:
            notes.append(f"removed {name}")

    monkeypatch.setattr(pool, "standing", standing)
    return notes


def wish(run_id: str, preparation: str | None = "", stack: Stack = STACK, record=print) -> Wish:
    return Wish(
        run_id=run_id,
        stack=stack,
        preparation=preparation,
        host="",
        log=Path("log"),
        record=record,
    )


def in_projects(work) -> None:
    async def run() -> None:
        async with Projects(clock=SystemClock()) as projects:
            await work(projects)

    asyncio.run(run())


async def use(projects: Projects, wanted: Wish) -> MadeUp:
    async with projects.lent(wanted) as project:
        project.prepared = project.prepared or wanted.preparation or ""
    return project


def test_what_is_given_back_serves_the_next_run_and_is_removed_at_the_end(told):
    async def two(projects):
        assert await use(projects, wish("a")) is await use(projects, wish("b"))
        assert told == ["made a"]

    in_projects(two)

    assert told == ["made a", "removed a"]


def test_runs_at_the_same_time_have_a_project_each(told):
    async def side_by_side(projects):
        async with projects.lent(wish("a")) as one, projects.lent(wish("b")) as other:
            assert one is not other

    in_projects(side_by_side)

    assert sorted(told) == ["made a", "made b", "removed a", "removed b"]


def test_after_an_error_in_its_run_it_is_removed_at_once(told):
    async def failing(projects):
        with pytest.raises(ZeroDivisionError):
            async with projects.lent(wish("a")):
                raise ZeroDivisionError
        assert told == ["made a", "removed a"]
        await use(projects, wish("b"))

    in_projects(failing)

    assert told == ["made a", "removed a", "made b", "removed b"]


def test_one_that_is_not_as_it_was_left_is_removed_and_that_is_recorded(told):
    records = []

    async def touched(projects):
        project = await use(projects, wish("a"))
        project.wrong = ["container c is running"]
        await use(projects, wish("b", record=records.append))

    in_projects(touched)

    assert told == ["made a", "removed a", "made b", "removed b"]
    [record] = records
    assert (record.what, record.incarnation) == ("thrown away", "a")
    assert "container c is running" in record.detail


@pytest.mark.parametrize(
    ("first", "second", "is_shared"),
    [
        (wish("a", "one"), wish("b", "one"), True),
        (wish("a", "one"), wish("b", "other"), False),
        (wish("a", "one"), wish("b", ""), True),
        (wish("a", ""), wish("b", "one"), True),
        (wish("a", None), wish("b", None), False),
        (wish("a", "one"), wish("b", None), False),
        (wish("a"), wish("b", stack=OTHER), False),
    ],
)
def test_only_runs_of_one_file_and_one_preparation_share(told, first, second, is_shared):
    async def two(projects):
        assert (await use(projects, first) is await use(projects, second)) == is_shared

    in_projects(two)

    assert told.count("removed a") == 1


def test_one_without_the_copy_that_the_next_run_needs_is_removed(told):
    async def unprepared(projects):
        async with projects.lent(wish("a", "one")):
            pass  # the server refused to keep a copy
        assert told == ["made a", "removed a"]

    in_projects(unprepared)


def test_a_run_that_is_tried_again_gets_a_name_that_is_free(told):
    async def again(projects):
        async with projects.lent(wish("a")), projects.lent(wish("a")):
            pass

    in_projects(again)

    assert told[:2] == ["made a", "made a-2"]
