"""Pure decisions of the gateway: does a wish fit, and which worker is dead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from readingroom.core.refusal import Refusal
from readingroom.gateway.model import UNITS, Amount, Reading, Wish, Worker
from readingroom.strategy.model import StageFact

SILENT_FOR = timedelta(seconds=30)  # a worker of another machine, unheard of for so long, is taken for dead


Granted = tuple[Amount, int]  # what to reserve, and the maximum per answer


def fit(reading: Reading, wish: Wish) -> Granted | Refusal:
    """Find what to reserve: the worst case, and the maximum per answer.

    A stated maximum must fit, as far as the engine has room for it: more it cannot say. Where none is stated, the
    maximum is the least of the default, that room, and what is left, so that one open request never holds a whole
    grant for nothing.
    """
    maximum = min(wish.maximum, max(1, wish.room)) if wish.maximum is not None else _greatest(reading, wish)
    amount = worst_case(wish, max(1, maximum))
    if maximum >= 1 and all(_fits(reading, amount, unit) for unit in UNITS):
        return amount, maximum
    return exhausted(reading, amount)


def draw(reading: Reading, wish: Wish, *, idle: bool, last: bool) -> Granted | Refusal | None:
    """Answer a request that needs more than its worker's lease has.

    Args:
        reading: the meter, with all that other workers have leased as reserved.
        wish: what the request may cost.
        idle: whether other workers may still return something of it.
        last: whether it has waited for that long enough.

    Returns:
        What to reserve and the maximum per answer; None if it should ask again once the others have answered.
    """
    found = fit(reading, wish)
    if isinstance(found, Refusal) and not found.facts["waiting_helps"]:
        return found
    return None if idle and not last and is_short(reading, wish) else found


def is_short(reading: Reading, wish: Wish) -> bool:
    """Tell whether less is left than the request would take if there were plenty."""
    return cut_short(fit(reading, wish), wish)


def cut_short(found: Granted | Refusal, wish: Wish) -> bool:
    """Tell whether what was found for a request is less than it would take if there were plenty."""
    wanted = wish.maximum if wish.maximum is not None else wish.default
    return isinstance(found, Refusal) or found[1] < min(wanted, max(1, wish.room))


def worst_case(wish: Wish, maximum: int) -> Amount:
    """Return what a request costs if every answer takes its maximum."""
    generated = wish.choices * maximum
    return Amount(passes=generated, tokens=wish.prompt + generated, calls=1)


def exhausted(reading: Reading, amount: Amount) -> Refusal:
    """Refuse for what is left; say whether waiting for others' reservations may help."""
    short = [unit for unit in UNITS if not _fits(reading, amount, unit)]
    left = {unit: reading.left(unit) for unit in UNITS if reading.left(unit) is not None}
    helps = all(_fits_if_all_returns(reading, amount, unit) for unit in UNITS)
    asked = ", ".join(f"{getattr(amount, unit)} {unit}, {left[unit]} left" for unit in short)
    cure = (
        "Other requests under this grant are open and may return some; try again shortly."
        if helps
        else "Ask for less (max_tokens, n, a shorter prompt), or apply for a larger allocation."
    )
    facts = {"left": left, "asked": amount.as_json(), "short": short, "waiting_helps": helps}
    return Refusal("access/allocation-exhausted", f"This request could need {asked}. {cure}", facts)


def is_dead(worker: Worker, host: str, now: datetime, runs: Callable[[int, int], bool]) -> bool:
    """Tell whether a worker is gone.

    On this machine its process says so at once, and a silent one that still runs is alive. On another machine
    only its silence can tell; should it come back, its holds are gone, and settling them again does nothing.

    Args:
        worker: whom to judge.
        host: where we are.
        now: the time.
        runs: whether the process of this pid and start runs here.
    """
    if worker.host == host:
        return not runs(worker.pid, worker.began)
    return now - worker.heartbeat > SILENT_FOR


def charge(prompt: int, generated: dict[int, int], choices: int) -> Amount:
    """Return what a call used: each choice at least one pass, since the network ran for it."""
    passes = sum(max(1, generated.get(choice, 0)) for choice in range(choices))
    return Amount(passes=passes, tokens=prompt + sum(generated.values()), calls=1)


def _greatest(reading: Reading, wish: Wish) -> int:
    bounds = [wish.default, max(1, wish.room)]
    passes, tokens = reading.left("passes"), reading.left("tokens")
    if passes is not None:
        bounds.append(passes // wish.choices)
    if tokens is not None:
        bounds.append((tokens - wish.prompt) // wish.choices)
    return min(bounds)


def _fits(reading: Reading, amount: Amount, unit: str) -> bool:
    left = reading.left(unit)
    return left is None or int(getattr(amount, unit)) <= left


def _fits_if_all_returns(reading: Reading, amount: Amount, unit: str) -> bool:
    left = reading.left(unit)
    return left is None or int(getattr(amount, unit)) <= left + int(getattr(reading.reserved, unit))


def check_model(name: str, stage: StageFact) -> Refusal | None:
    """Serve a stage's own model, by either of its names, and no other."""
    if name in {stage.artifact, stage.model}:
        return None
    reason = f"This grant may not call {name[:80]!r}; it may call {stage.artifact!r} (GET /v1/models)."
    return Refusal("gateway/model-unknown", reason, {"param": "model"})
