"""`doctor`: is this house as it should be? Each finding with its cure."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from readingroom.app.guarding import OLD, look
from readingroom.app.house import House
from readingroom.app.mail import SPOOL, STUCK
from readingroom.app.plans import parse_plan_file
from readingroom.core.errors import BadInput, Broken
from readingroom.core.settings import MAIL_PASSWORD, mail_password
from readingroom.engines.identity import ADDRESS, served_digest
from readingroom.engines.model import EngineFault
from readingroom.engines.registry import make_engine
from readingroom.gateway.judges import Judges, Outcome
from readingroom.gateway.screening.load import load_file, problems_in
from readingroom.gateway.screening.model import Side
from readingroom.people.providers import secret_name
from readingroom.post import queries as post
from readingroom.post.model import State
from readingroom.publication.oms import load_private
from readingroom.releases import queries as releases
from readingroom.strategy.model import Channel

LATE = timedelta(hours=1)  # a letter that was tried in vain for so long is told
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_CURE_DOOR = (
    "Let the engine ask for its key on every path: bind it to the loopback or a Unix socket behind a proxy that does, "
    "and open nothing of it to others (docs/howto/guard-the-engine.md)"
)
_CURE_CHANGED = (
    "Serve the tested weights, template and context again; or run the stress tests anew on what is served, and let a "
    "steward open the stage anew"
)
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # a clock before this program was written is wrong


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up."""

    name: str
    ok: bool
    detail: str
    cure: str = ""


def examine(house: House) -> list[Finding]:
    """Examine a house; a check that itself breaks is a finding, not an error."""
    checks: tuple[tuple[str, Callable[[House], Iterator[Finding]]], ...] = (
        ("clock", _clock),
        ("database", _database),
        ("keys", _keys),
        ("ledger", _ledger),
        ("restored", _restored),
        ("plan", _plan),
        ("screening", _screening),
        ("engine", _engine),
        ("doors", _doors),
        ("model", _model),
        ("texts", _texts),
        ("letters", _letters),
        ("sign-in", _sign_in),
    )
    found: list[Finding] = []
    for name, check in checks:
        try:
            found += check(house)
        except (Broken, BadInput) as fault:
            problem = fault.problem if isinstance(fault, Broken) else fault.problems[0]
            found.append(Finding(name, ok=False, detail=f"{problem.where}: {problem.what}", cure=problem.cure))
        except Exception as fault:  # noqa: BLE001 - whatever is wrong with a house, the other checks are made
            told = f"{type(fault).__name__}: {str(fault).strip().splitlines()[:1]}"
            found.append(Finding(name, ok=False, detail=told, cure="Mend what it names; the other lines may say more"))
    return found


def _mail(house: House) -> Iterator[Finding]:
    """Tell of letters that cannot be sent: no one of them is given up in silence."""
    with house.db.read() as tx:
        counts, since = post.counts(tx), post.failing_since(tx)
    aside = len(list((house.settings.outbox / SPOOL).glob(f"*{STUCK}")))
    stuck, waiting = counts[State.STUCK] + aside, counts[State.WAITING]
    way = (
        f"to {house.mailbox.host}:{house.mailbox.port}"
        if house.mailbox.host
        else f"as files to {house.settings.outbox}"
    )
    detail = f"{waiting} wait to go {way}, {stuck} are stuck"
    late = since is not None and house.clock.now() - since > LATE
    if late and since is not None:
        detail += f"; none could be sent since {since:%Y-%m-%d %H:%M} UTC"
    cure = "`readingroom mail list` says why each was not taken; mend it, then `readingroom mail retry`"
    yield Finding("mail", not stuck and not late, detail, cure)
    if house.mailbox.user and not mail_password():
        yield Finding("mail", ok=False, detail="the mail server's user has no password", cure=f"Set {MAIL_PASSWORD}")


def _letters(house: House) -> Iterator[Finding]:
    outbox = house.settings.outbox
    with tempfile.TemporaryFile(dir=outbox):
        waiting = len(list(outbox.glob("*.eml")))
    yield from _mail(house)
    address = house.address()
    host = urlsplit(address).hostname or "localhost"
    reached = bool(house.settings.public_url) or host in _LOOPBACK
    detail = f"{waiting} in {outbox}; their links lead to {address or 'where it will be served'}"
    yield Finding("letters", reached, detail, "Set `public_url` in readingroom.toml to where readers reach this house")


def _sign_in(house: House) -> Iterator[Finding]:
    """Ask each provider for its discovery document and its keys, as a sign-in would."""
    from readingroom.app import signing_in  # it loads an HTTP client and signatures, which most houses do not need

    for provider, trouble in signing_in.look(house):
        secret = "" if provider.secret else f"; no secret in {secret_name(provider.name)}: a public client"
        detail = f"{provider.name}: {trouble or 'answers'} ({provider.issuer}){secret}"
        cure = "Write `issuer` as that site's discovery document does, and see that this machine reaches it"
        yield Finding("sign-in", not trouble, detail, cure)


def _texts(house: House) -> Iterator[Finding]:
    trouble = house.investigations.ratchet.trouble()
    with house.db.read() as tx:
        keeps = [each.name for each in releases.stage_facts(tx, house.clock.now()) if each.retention]
    if keeps or trouble:
        detail = trouble or f"kept for investigations in {', '.join(keeps)}"
        yield Finding("texts", not trouble, detail, "Until then, a stage that keeps texts serves nobody")


def _clock(house: House) -> Iterator[Finding]:
    now = house.clock.now()
    yield Finding("clock", now > _EARLIEST, f"{now:%Y-%m-%d %H:%M:%S} UTC", "Set the machine's clock (NTP)")


def _database(house: House) -> Iterator[Finding]:
    house.db.try_writing()
    yield Finding("database", ok=True, detail="SQLite" if house.db.is_sqlite else "Postgres")


def _keys(house: House) -> Iterator[Finding]:
    for path in sorted(house.settings.keys.glob("*.key")):
        private = path.stat().st_mode & 0o077 == 0
        yield Finding("keys", private, path.name, f"chmod 600 {path}: others can read it")
    load_private(house.settings.keys / "release.key")  # the log's was loaded with the house


def _ledger(house: House) -> Iterator[Finding]:
    report = house.log.audit(house.signer.verifier)
    detail = f"{report.size} entries, whole" if report.ok else report.problems[0]
    yield Finding("ledger", report.ok, detail, "Run `readingroom ledger verify`; restore a backup")


def _restored(house: House) -> Iterator[Finding]:
    known = house.restorations.pending()
    if known is not None:
        detail = f"from a backup of {known.backup_at:%Y-%m-%d %H:%M} UTC; every grant is suspended"
        cure = "Two persons (steward or safety) confirm the gap: the portal's page, or `readingroom restore --confirm`"
        yield Finding("restored", ok=False, detail=detail, cure=cure)


def _plan(house: House) -> Iterator[Finding]:
    adopted = house.releases.in_force()
    if adopted is None:
        yield Finding(
            "plan", ok=False, detail="none is in force", cure="Run `readingroom plan adopt FILE --reason ...`"
        )
        return
    on_disk = parse_plan_file(house.settings.plan_file)
    same = on_disk.digest == adopted.digest
    detail = f"plan {adopted.number} is in force" + ("" if same else "; release.yaml on disk differs from it")
    yield Finding("plan", same, detail, "Adopt the file, or put it back: what is on disk is not in force")


def _screening(house: House) -> Iterator[Finding]:
    with house.db.read() as tx:
        stages = releases.stage_facts(tx, house.clock.now())
    for name in sorted({name for stage in stages for name in stage.screening}):
        bad = problems_in(house.settings.home / name)
        yield Finding(
            "screening", bad is None, str(bad) if bad else name, "Mend the file; until then nothing is served"
        )
        if bad is None:
            yield from _judges(house, name)


def _judges(house: House, name: str) -> Iterator[Finding]:
    """Ask each judge of a rule set about a harmless word; what it says does not matter, that it says it does."""
    rules = [rule for rule in load_file(house.settings.home / name).rules if rule.judged]
    if not rules:
        return

    async def ask() -> list[Outcome]:
        judges = Judges()
        try:
            sides = [Side.EXIT if rule.side is Side.EXIT else Side.ENTRANCE for rule in rules]
            return [await judges.ask(rule, side, "hello") for rule, side in zip(rules, sides, strict=True)]
        finally:
            await judges.close()

    for each in asyncio.run(ask()):
        detail = f"{name}: {each.rule.id} {f'gives no verdict ({each.failed})' if each.failed else 'judges'}"
        cure = "Start the judge or mend the rule; `no-key` means that the variable named in `key_env` is not set"
        yield Finding("screening", not each.failed, detail, cure)


def _model(house: House) -> Iterator[Finding]:
    """Tell of each open stage whose registered model is not the one that answers: nothing is served there."""
    answers = served_digest(house.settings)
    with house.db.read() as tx:
        stages = releases.stage_facts(tx, house.clock.now())
    for stage in (each for each in stages if each.open and each.channel is Channel.API):
        same = stage.digest == answers
        detail = f"{stage.name}: {stage.artifact} is {'' if same else 'not '}what the engine serves"
        cure = "Set `engine` and `model` in readingroom.toml to it, or register the model that is served"
        yield Finding("model", same, detail, cure)


def _doors(house: House) -> Iterator[Finding]:
    """Knock at the engine's doors now, and tell of each that is open; in a house for trials that is only a warning."""
    if house.settings.engine == "embedded" and not (house.settings.run / ADDRESS).exists():
        return
    found = asyncio.run(look(house))
    if not found.reached:
        return  # `_engine` has said so
    dev = house.settings.dev
    for each in found.open:
        detail = f"{'warning: ' if dev else ''}{each.url} answers {each.name.split()[0]} without a key ({each.answer})"
        yield Finding("doors", dev, detail, _CURE_DOOR)
    if not found.open and found.knocks:
        unclear = f"; unclear: {', '.join(each.url for each in found.unclear)}" if found.unclear else ""
        yield Finding("doors", ok=True, detail=f"{len(found.knocks)} tried without a key, none open{unclear}")
    if found.agreement is not None:
        apart = "" if found.agreement.apart is None else f", {found.agreement.apart:.3f} nats apart"
        same = found.agreement.same
        detail = f"the engine answers {'as' if same else 'otherwise than'} when it was tested{apart}"
        yield Finding("fingerprint", same, detail, _CURE_CHANGED)
    yield from _last_look(house)


def _last_look(house: House) -> Iterator[Finding]:
    last = house.inspections.last(served_digest(house.settings))
    if house.settings.dev or last.looked_at is None:
        return
    late = house.clock.now() - last.looked_at > OLD
    detail = f"the server looked at it last on {last.looked_at:%Y-%m-%d %H:%M} UTC"
    if not last.sound:
        detail += f", and found {', '.join(last.doors) or 'that it has changed'}: its API stages are shut"
    cure = "While `readingroom serve` runs it looks again, daily, and each minute after it found something"
    yield Finding("last look", last.sound and not late, detail, cure)


def _engine(house: House) -> Iterator[Finding]:
    if house.settings.engine == "embedded" and not (house.settings.run / ADDRESS).exists():
        yield Finding("engine", ok=True, detail="embedded; starts with `readingroom serve`")
        return
    engine = make_engine(house.settings)

    async def ask() -> str:
        try:
            info = await engine.info()
        finally:
            await engine.close()
        counts = "counts prompts exactly" if info.counts_prompts else "cannot count prompts: the context is reserved"
        return f"{house.settings.engine}, {counts}"

    try:
        yield Finding("engine", ok=True, detail=asyncio.run(ask()))
    except EngineFault as fault:
        yield Finding("engine", ok=False, detail=str(fault), cure="Start it, or mend `engine` in readingroom.toml")
