"""Promise 2, sanction by sanction: from the decision on, whom it is of is refused, streams end, and others read on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gateway.rooms import Room, room
from readingroom.access.many import By, Choice
from readingroom.access.model import Amounts, Award, Kind, Reason
from readingroom.access.sanctions import Wanted
from readingroom.app.lending import issue_discretionary, meter_of
from readingroom.app.many import look
from readingroom.app.projects import felt, invite, team
from readingroom.core.refusal import Refused
from readingroom.engines.echo import EchoOptions
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import Delta, End
from readingroom.gateway.model import Amount
from readingroom.people.model import Actor

LONG = "word " * 400


@dataclass
class Pair:
    """A project of two: its holder reads with the room's key, its member with one of their own."""

    here: Room
    grant: str
    holder: str  # the holder's key
    member: Actor
    key: str

    @property
    def by(self) -> Actor:
        return self.here.house.people.operator()

    def impose(self, kind: Kind, *, member: bool = True, **more: object) -> str:
        person = self.member.id if member else None
        of = None if kind is Kind.BAR else self.grant
        return self.here.house.access.impose(self.by, Wanted(kind, Reason.SECURITY, of, person, **more)).id  # type: ignore[arg-type]

    async def code(self, key: str) -> str:
        try:
            flow = await self.here.gateway.open(key, self.here.ask("one two"))
        except Refused as refused:
            return refused.refusal.code
        async for _ in flow.frames():
            pass
        return "ok"

    async def stream(self, key: str, begun: asyncio.Event) -> End:
        flow: Flow = await self.here.gateway.open(key, self.here.ask(LONG, maximum=400, streamed=True))
        async for frame in flow.frames():
            if isinstance(frame, Delta):
                begun.set()
            elif isinstance(frame, End):
                return frame
        raise AssertionError("no end")


def pair(here: Room, name: str) -> Pair:
    """Give a grant of its own, whose holder and member may both read."""
    house = here.house
    by, ends = house.people.operator(), house.clock.now() + timedelta(days=99)
    award = Award("", "", "text", Amounts(), ends, "test")
    grant, _, key = issue_discretionary(house, by, f"{name}@holder.example", award, accept_terms=True)
    invite(house, by, grant.id, f"{name}@member.example")
    member = house.people.actor(house.people.named(f"{name}@member.example").id)
    house.access.join(member, grant.id)
    terms = house.agreements.in_force()
    assert terms is not None
    house.agreements.accept(member, terms.hash, "M")
    _, secret = house.access.issue_key(member, grant.id)
    return Pair(here, grant.id, key.reveal(), member, secret.reveal())


def _many(p: Pair) -> None:
    house, choice = p.here.house, Choice(By.TIER, "text")
    digest = look(house, p.by, choice, Reason.SECURITY).digest
    house.access.revoke_many(p.by, choice, Reason.SECURITY, "", digest)


DECISIONS: dict[str, tuple[Callable[[Pair], object], str, str]] = {
    # the decision: what the member is told from then on, and the holder
    "suspend a member": (lambda p: p.impose(Kind.SUSPEND), "access/grant-suspended", "ok"),
    "revoke a member": (lambda p: p.impose(Kind.REVOKE), "access/grant-revoked", "ok"),
    "bar a person": (
        lambda p: p.impose(Kind.BAR, until=p.here.house.clock.now() + timedelta(days=9)),
        "access/grant-suspended",
        "ok",
    ),
    "remove a member": (
        lambda p: p.here.house.access.remove(p.by, p.grant, p.member.id),
        "access/key-revoked",
        "ok",
    ),
    "suspend a project": (
        lambda p: p.impose(Kind.SUSPEND, member=False),
        "access/grant-suspended",
        "access/grant-suspended",
    ),
    "suspend a project until a day": (
        lambda p: p.impose(Kind.SUSPEND, member=False, until=p.here.house.clock.now() + timedelta(days=9)),
        "access/grant-suspended",
        "access/grant-suspended",
    ),
    "revoke a project": (
        lambda p: p.impose(Kind.REVOKE, member=False),
        "access/grant-revoked",
        "access/grant-revoked",
    ),
    "revoke a tier": (_many, "access/grant-revoked", "access/grant-revoked"),
    "warn a member": (lambda p: p.impose(Kind.WARN), "ok", "ok"),
}


async def test_each_decision_ends_the_streams_and_refuses_the_calls_of_whom_it_is_of(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(hang_after=3)) as here:  # what is not ended flows for ever
        for number, (name, (decide, member, holder)) in enumerate(DECISIONS.items()):
            p, begun = pair(here, f"n{number}"), (asyncio.Event(), asyncio.Event())
            keys = (p.key, p.holder)
            flows = [asyncio.create_task(p.stream(key, at)) for key, at in zip(keys, begun, strict=True)]
            for each in begun:
                await each.wait()
            await asyncio.to_thread(decide, p)
            await here.heard()
            for expected, flow, key in zip((member, holder), flows, keys, strict=True):
                if expected == "ok":
                    assert not flow.done(), name
                    flow.cancel()
                else:
                    end = await flow
                    assert end.refusal is not None
                    assert end.refusal.code == expected, name
                assert await p.code(key) == expected, name


async def test_a_throttle_lets_so_many_in_a_minute_of_whom_it_is_of_and_slows_nobody_else(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        p = pair(here, "one")
        sanction = p.impose(Kind.THROTTLE, per_minute=2)
        await here.heard()
        told = [await p.code(p.key) for _ in range(5)]  # a minute may end in between: then three are in one of the two
        assert told[:2] == ["ok", "ok"]
        assert "access/throttled" in told
        assert {await p.code(p.holder) for _ in range(4)} == {"ok"}
        house, grant = here.house, here.house.access.grant(p.by, p.grant)
        for _ in range(1500):
            await here.gateway._purse.post()
            if meter_of(house, p.grant).reserved == Amount():
                break
            await asyncio.sleep(0.02)
        counts = {each.person: each.used for each in team(house, p.by, grant)}
        spent = counts[p.member.id]
        assert spent is not None
        assert spent.calls == told.count("ok")
        used = meter_of(house, p.grant).used
        assert sum(each.passes for each in counts.values() if each) == used.passes, (
            "what members used adds up to the grant's"
        )
        house.access.lift(p.by, sanction, "cured")
        await here.heard()
        assert {await p.code(p.key) for _ in range(3)} == {"ok"}


async def test_the_first_refused_call_is_kept_and_no_later_one_takes_its_place(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        p = pair(here, "one")
        sanction = here.house.access.sanction(p.by, p.impose(Kind.SUSPEND))
        await here.heard()
        assert felt(here.house, sanction) is None
        assert await p.code(p.holder) == "ok"
        await asyncio.to_thread(here.gateway._firsts.flush)
        assert felt(here.house, sanction) is None, "another's call is none of its"
        await p.code(p.key)
        await asyncio.to_thread(here.gateway._firsts.flush)
        first = felt(here.house, sanction)
        assert first is not None
        assert (first["code"], first["after_ms"] >= 0) == ("access/grant-suspended", True)
        await p.code(p.key)
        await asyncio.to_thread(here.gateway._firsts.flush)
        assert felt(here.house, sanction) == first
