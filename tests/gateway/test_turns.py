"""The line in front of the engine: who is next, and what is told to those who wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from readingroom.core.refusal import Refused
from readingroom.gateway import turns as module
from readingroom.gateway.turns import Turn, Turns


class Room:
    """An engine at which readers stay until they are let go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.begun: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.go: dict[str, asyncio.Event] = {}
        self.turn: dict[str, Turn] = {}
        self.told: dict[str, list[int]] = {}

    async def come(self, *names: str) -> None:
        for name in names:
            self.go[name], self.told[name] = asyncio.Event(), []
            self.turn[name] = self.turns.turn(name[0], self.told[name].append)
            self.tasks[name] = asyncio.create_task(self._read(name))
            await asyncio.sleep(0)

    async def _read(self, name: str) -> None:
        async with self.turn[name]:
            self.begun.append(name)
            await self.go[name].wait()

    async def leave(self, name: str) -> None:
        self.go[name].set()
        await self.tasks[name]
        await settle()

    def places(self, *names: str) -> list[int]:
        return [self.turn[name].place for name in names]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def engine(places: int, waiting: int = 256, share: int = 64) -> AsyncIterator[Room]:
    room = Room(Turns(places, waiting, share))
    yield room
    for task in room.tasks.values():
        task.cancel()
    await asyncio.gather(*room.tasks.values(), return_exceptions=True)
    assert room.turns.inside == 0
    assert not any(room.turns.waits(name[0]) for name in room.tasks)


async def test_a_reader_with_sixty_four_requests_does_not_stop_the_room() -> None:
    async with engine(2) as room:
        await room.come(*(f"a{n}" for n in range(64)), "b0")
        assert room.places("a2", "b0", "a3", "a63") == [1, 2, 3, 63]
        await room.leave("a0")
        await room.leave("a1")
        assert room.begun == ["a0", "a1", "a2", "b0"]


async def test_each_grant_is_served_in_the_order_in_which_it_asked_and_the_grants_in_turn() -> None:
    async with engine(1) as room:
        await room.come("x0", "a0", "a1", "a2", "b0", "b1", "c0")
        assert room.places("a0", "b0", "c0", "a1", "b1", "a2") == [1, 2, 3, 4, 5, 6]
        for name in ("x0", "a0", "b0", "c0", "a1", "b1"):
            await room.leave(name)
        assert room.begun == ["x0", "a0", "b0", "c0", "a1", "b1", "a2"]


async def test_nobody_overtakes_who_is_in_line_when_a_place_is_free() -> None:
    async with engine(1) as room:
        await room.come("a0", "b0")
        room.go["a0"].set()
        await room.tasks["a0"]
        await room.come("c0")
        assert room.begun == ["a0", "b0"]
        assert room.turn["c0"].place == 1


async def test_whoever_leaves_the_line_leaves_no_gap() -> None:
    async with engine(1) as room:
        await room.come("a0", "b0", "b1", "c0")
        room.tasks["b0"].cancel()
        room.go["a0"].set()  # before b0 could say that it left
        await settle()
        assert room.begun == ["a0", "b1"]
        assert room.turn["c0"].place == 1


async def test_a_turn_that_came_to_one_who_had_just_left_goes_to_the_next() -> None:
    async with engine(1) as room:
        await room.come("a0", "b0", "c0")
        room.turns.leave(room.turn["a0"])  # b0 is called, and has not run yet
        room.tasks["b0"].cancel()
        await settle()
        assert room.begun == ["a0", "c0"]


async def test_the_line_is_bounded_in_all_and_by_grant_and_says_when_to_come_back() -> None:
    async with engine(1, waiting=3, share=2) as room:
        await room.come("a0", "a1", "a2")
        refusal = room.turns.refusal("a")
        assert refusal is not None
        assert refusal.code == "gateway/busy"
        assert refusal.facts["retry_after"] >= 1
        assert room.turns.refusal("b") is None
        await room.come("b0")
        assert room.turns.refusal("b") is not None
        with pytest.raises(Refused):
            await room.turns.enter(room.turns.turn("b"))
        assert [room.turns.waits(grant) for grant in "abc"] == [2, 1, 0]
        await room.leave("a0")
        assert room.turns.refusal("b") is None


async def test_places_are_told_as_they_change_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL_SECONDS", 0)
    async with engine(1) as room:
        await room.come("a0", "b0", "c0")
        await settle()
        assert (room.told["a0"], room.told["b0"], room.told["c0"]) == ([], [1], [2])
        await room.leave("a0")
        await settle()
        assert (room.told["b0"], room.told["c0"]) == ([1, 0], [2, 1])
        assert room.places("a0", "b0", "c0") == [0, 0, 1]


async def test_without_a_bound_nobody_waits() -> None:
    async with engine(0, waiting=0) as room:
        await room.come(*(f"a{n}" for n in range(10)))
        assert len(room.begun) == 10
        assert room.turns.refusal("a") is None


async def test_who_fails_at_the_engine_leaves_it_all_the_same() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="broken"):
        async with turns.turn("a"):
            raise ValueError("broken")
    assert turns.inside == 0
