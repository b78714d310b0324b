"""Two accounts that are one person's become one: nothing is lost, no right is gained, a bar follows the person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from admissions.world import ANSWERS, call_text, judged
from readingroom.access import queries as access
from readingroom.access.model import Amounts, Award, Reason
from readingroom.admissions import queries as admissions
from readingroom.admissions.after import Ground
from readingroom.admissions.model import ApplicationState, Draft, ReviewState
from readingroom.app.appealing import appeal_sanction
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.core.settings import load
from readingroom.ledger.tables import entry
from readingroom.people import queries
from readingroom.people.model import Actor, Claim, FactKind, Person, Proven, Role
from readingroom.releases.tables import signature
from readingroom.store.db import metadata
from served import found

FAR = datetime(2030, 1, 1, tzinfo=UTC)


class Lab:
    """A house, and how its people usually act."""

    def __init__(self, house: House, clock: FixedClock) -> None:
        self.house, self.clock, self.people = house, clock, house.people
        self.operator = house.people.operator()
        self._names = 0

    def person(self, *roles: Role) -> Person:
        """Add somebody new; each is younger than the last."""
        self._names += 1
        self.clock.advance(seconds=1)
        return self.people.add(self.operator, f"p{self._names}@place{self._names}.example", roles=roles)

    def actor(self, person: Person) -> Actor:
        return self.people.actor(person.id)

    def session(self, person: Person) -> str:
        return self.people.sign_in(self.people.make_link_for(self.operator, person.email))

    def own(self, one: Person, other: Person) -> Person:
        return self.people.merge_own(self.session(one), self.session(other))[0]

    def call(self) -> str:
        return open_call(self.house, self.operator, call_text(), "call.yaml").id

    def apply(self, person: Person, call: str, *, submit: bool = True) -> str:
        made = self.house.admissions.start(self.actor(person), call, Draft(ANSWERS, 10_000))
        if submit:
            self.house.admissions.submit(self.actor(person), made.id)
        return made.id

    def bar(self, person: Person, until: datetime = FAR) -> None:
        self.house.access.bar(self.operator, person.id, until, Reason.SECURITY)

    def barred(self, person: Person) -> datetime | None:
        with self.house.db.read() as tx:
            return access.barred_until(tx, queries.canonical(tx, person.id))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    clock = FixedClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    house = House(load(found(tmp_path_factory.mktemp("lab") / "home")), clock)
    yield Lab(house, clock)
    house.close()


def test_after_a_merge_the_younger_pseudonym_stands_nowhere_but_where_it_leads_on(lab: Lab) -> None:
    """Nothing is lost: every row is still there, and is the older account's."""
    elder, younger = lab.person(Role.REVIEWER), lab.person(Role.PANEL)
    call = lab.call()
    lab.apply(younger, call)
    lab.people.claim_fact(lab.actor(younger), _training())
    lab.people.change_role(lab.operator, younger.email, Role.STEWARD, add=True)
    acted = lab.people.add(lab.actor(younger), "added-by-the-younger@place.example")
    lab.people.merge(lab.operator, acted.id, lab.person().id, "one person")
    before = _where(lab.house, younger.id)
    assert {"admissions_application.person_id", "people_fact.person_id", "people_role.person_id"} <= set(before)
    had = _where(lab.house, elder.id)
    lab.own(elder, younger)
    after = _where(lab.house, younger.id)
    assert set(after) == {"people_person.id", "people_merge.person_id", "people_person.email"}
    now = _where(lab.house, elder.id)
    for column, rows in before.items():
        if column == "post_letter.person":  # and one more, which tells of the merge
            assert now[column] == rows + had.get(column, 0) + 1
        elif column not in {"people_person.id", "people_session.person_id", "people_link.person_id"}:
            assert now[column] == rows + had.get(column, 0), column


def test_whoever_imposed_a_sanction_by_one_account_hears_its_appeal_by_none(lab: Lab) -> None:
    """Who took part stands in a list within the appeal, and is moved there like anywhere else."""
    elder, younger, reader = lab.person(Role.PANEL), lab.person(Role.STEWARD), lab.person()
    award = Award("", "reading-room", "text", Amounts(passes=9), lab.clock.now() + timedelta(days=9), "why")
    issue_discretionary(lab.house, lab.operator, reader.email, award, accept_terms=True)
    grant = lab.house.access.my_grants(lab.actor(reader))[0].id
    lab.house.access.suspend(lab.actor(younger), grant, Reason.SECURITY)
    (sanction,) = lab.house.access.my_sanctions(lab.actor(reader))
    appeal = appeal_sanction(lab.house, lab.actor(reader), sanction.id, Ground.FACTUAL_ERROR, "It was another key.")
    lab.own(elder, younger)
    with pytest.raises(Refused) as caught:
        lab.house.admissions.admit_appeal(lab.actor(elder), appeal.id)
    assert caught.value.refusal.code == "admissions/appeal-not-yours"
    assert "admissions_appeal.involved" not in _where(lab.house, younger.id)
    assert "admissions_appeal.involved" in _where(lab.house, elder.id)


def _training() -> Claim:
    return Claim(FactKind.TRAINING, "An institute")


def _where(house: House, person: str) -> dict[str, int]:
    """Return the columns, outside the ledger, that hold a pseudonym, with how many rows do."""
    held: dict[str, int] = {}
    with house.db.read() as tx:
        for table in metadata.sorted_tables:
            for column in table.columns if not table.name.startswith("ledger_") else ():
                text = sa.cast(column, sa.String).contains(person)
                if rows := tx.execute(sa.select(sa.func.count()).select_from(table).where(text)).scalar_one():
                    held[str(column)] = rows
    return held


def test_whatever_was_either_accounts_is_the_persons(lab: Lab) -> None:
    elder, younger = lab.person(Role.REVIEWER), lab.person(Role.TESTER)
    application = lab.apply(younger, lab.call())
    person = lab.own(younger, elder)
    assert person.id == elder.id
    assert person.roles == {Role.REVIEWER, Role.TESTER}
    assert set(person.addresses) == {elder.email, younger.email}
    assert [each.id for each in lab.house.admissions.my_applications(lab.actor(elder))] == [application]
    assert lab.people.session(lab.people.sign_in(lab.people.ask(younger.email))) == person
    assert lab.people.session(lab.people.sign_in(lab.people.ask(elder.email))) == person


def test_every_id_that_a_person_ever_had_leads_to_the_one_of_now(lab: Lab) -> None:
    first, second, third = (lab.person() for _ in range(3))
    lab.own(second, third)
    lab.own(first, second)
    with lab.house.db.read() as tx:
        assert {queries.canonical(tx, each.id) for each in (first, second, third)} == {first.id}
        assert queries.ids(tx, third.id) == {first.id, second.id, third.id}
        assert queries.by_id(tx, third.id) == queries.by_email(tx, second.email) == queries.by_id(tx, first.id)
        assert queries.persons(tx).keys().isdisjoint({second.id, third.id})


def test_the_ledger_tells_of_it_in_pseudonyms_alone(lab: Lab) -> None:
    elder, younger = lab.person(), lab.person(Role.PANEL)
    lab.people.merge(lab.operator, younger.email, elder.id, "the same ORCID iD as Zaphod")
    with lab.house.db.read() as tx:
        leaves = [bytes(row).decode() for row in tx.execute(sa.select(entry.c.leaf).order_by(entry.c.seq)).scalars()]
    said = leaves[-1]
    assert '"people.person.merged"' in said
    assert f'"into":"{elder.id}"' in said
    assert f'"person":"{younger.id}"' in said
    assert '"roles":["panel"]' in said
    assert "Zaphod" not in said
    assert lab.house.log.audit(lab.house.signer.verifier).ok


def test_every_session_of_both_is_over_but_the_one_that_was_just_begun(lab: Lab) -> None:
    """A session that was begun with fewer rights must not wake up with more."""
    elder, younger = lab.person(Role.STEWARD), lab.person()
    old = [lab.session(elder), lab.session(younger)]
    handed = lab.people.make_link_for(lab.operator, younger.email)
    _, session = lab.people.merge_own(lab.session(younger), lab.session(elder))
    assert [lab.people.session(each) for each in old] == [None, None]
    signed_in = lab.people.session(session)
    assert signed_in is not None
    assert signed_in.id == elder.id
    with pytest.raises(Refused, match="people/link-spent"):
        lab.people.sign_in(handed)


def test_a_stewards_merge_lets_nobody_into_anothers_account(lab: Lab) -> None:
    """Else whoever may merge gives an account of their own to a second steward, and is a quorum alone."""
    victim, mine = lab.person(Role.STEWARD), lab.person()
    proved = Proven("https://orcid.example", "mine")
    lab.people.add_proven(lab.actor(mine), lab.people.arrive(proved).proof)
    inside, letter = lab.session(mine), lab.people.ask(mine.email)
    handed = lab.people.make_link_for(lab.operator, mine.email)
    lab.people.merge(lab.operator, victim.id, mine.id, "they told me")
    assert lab.people.session(inside) is None
    assert lab.people.arrive(proved).session == ""
    with pytest.raises(Refused, match="people/link-spent"):
        lab.people.sign_in(handed)
    with pytest.raises(Refused, match="people/identity-ended"):
        lab.people.sign_in(letter)
    with pytest.raises(Refused, match="people/identity-ended"):
        lab.people.sign_in(lab.people.ask(mine.email))
    # The person adds what is theirs again, from the account that stayed.
    back = lab.actor(victim)
    lab.people.add_proven(back, lab.people.arrive(proved, back).proof)
    lab.people.add_address(back, lab.people.ask_address(back, mine.email))
    for session in (lab.people.arrive(proved).session, lab.people.sign_in(lab.people.ask(mine.email))):
        person = lab.people.session(session)
        assert person is not None
        assert person.id == victim.id


def test_who_may_not_merge_does_not(lab: Lab) -> None:
    one, other, steward = lab.person(), lab.person(), lab.person(Role.STEWARD)
    cases = [
        (lab.actor(one), one.id, other.id, "people/not-allowed"),
        (lab.actor(steward), steward.id, other.id, "people/own-merge"),
        (lab.operator, one.id, one.email, "people/same-person"),
        (lab.operator, one.id, "nobody@place.example", "people/person-unknown"),
    ]
    for by, first, second, code in cases:
        with pytest.raises(Refused, match=code):
            lab.people.merge(by, first, second, "because")
    with pytest.raises(BadInput, match="reason"):
        lab.people.merge(lab.operator, one.id, other.id, " ")
    mine = lab.session(one)
    for session in ("", "guessed", mine):
        with pytest.raises(Refused, match=r"people/(not-signed-in|same-person)"):
            lab.people.merge_own(mine, session)


def test_one_person_is_one_signature_in_a_quorum(lab: Lab) -> None:
    one, other, third = (lab.person(Role.STEWARD) for _ in range(3))
    with lab.house.db.write() as tx:
        for each in (one, other, third):
            values = {"stage": "x", "gate_version": "v", "round": 1, "person": each.id, "role": "steward"}
            tx.execute(signature.insert().values(**values, signed_at=lab.clock.now()))
    lab.own(one, other)
    with lab.house.db.read() as tx:
        assert set(tx.execute(sa.select(signature.c.person).where(signature.c.stage == "x")).scalars()) == {
            one.id,
            third.id,
        }


def test_of_two_applications_in_a_call_the_one_that_has_come_further_stays(lab: Lab) -> None:
    elder, younger = lab.person(), lab.person()
    call, second = lab.call(), lab.call()
    draft, submitted = lab.apply(elder, call, submit=False), lab.apply(younger, call)
    first = lab.apply(elder, second)
    lab.clock.advance(seconds=1)
    later = lab.apply(younger, second)
    lab.own(elder, younger)
    states = {each.id: each.state for each in lab.house.admissions.my_applications(lab.actor(elder))}
    gone, there = ApplicationState.WITHDRAWN, ApplicationState.SUBMITTED
    assert states == {draft: gone, submitted: there, first: there, later: gone}
    with lab.house.db.read() as tx:
        assert len(admissions.versions(tx, later)) == 1, "its text is still its person's"


def test_nobodys_review_of_their_own_application_counts(lab: Lab) -> None:
    applicant, hidden = lab.person(), lab.person(Role.REVIEWER)
    stranger, call = lab.person(Role.REVIEWER), lab.call()
    application = lab.apply(applicant, call)
    elsewhere = lab.apply(lab.person(), call)
    desk = lab.house.admissions
    desk.close_call(lab.operator, call)
    desk.assign_reviewers(lab.operator, call, {hidden.id, stranger.id})
    with lab.house.db.read() as tx:
        tasks = {each.application: each.id for each in admissions.reviews_by(tx, hidden.id)}
    for review in tasks.values():
        desk.review(lab.actor(hidden), review, judged())
    lab.people.merge(lab.operator, applicant.id, hidden.id, "the same person")
    with lab.house.db.read() as tx:
        states = {each.application: each.state for each in admissions.reviews(tx, call) if each.reviewer != stranger.id}
    assert states[application] is ReviewState.RECUSED
    assert elsewhere in states
    with pytest.raises(Refused, match=r"admissions/(own-application|not-a-reviewer)"):
        desk.review(lab.actor(applicant), tasks[application], judged(5, 5))


def test_who_is_barred_begins_submits_and_accepts_nothing(lab: Lab) -> None:
    person, call, other = lab.person(), lab.call(), lab.call()
    draft = lab.apply(person, call, submit=False)
    lab.bar(person)
    for act in (
        lambda: lab.apply(person, other),
        lambda: lab.house.admissions.submit(lab.actor(person), draft),
    ):
        with pytest.raises(Refused, match="admissions/person-barred"):
            act()
    lab.house.access.bar(lab.operator, person.id, lab.clock.now(), Reason.ERROR_CORRECTED)
    lab.house.admissions.submit(lab.actor(person), draft)


def test_who_is_barred_is_known_again_by_whatever_they_bring(lab: Lab) -> None:
    person = lab.person()
    proved = Proven("https://orcid.example", "barred", email="barred@uni.example")
    lab.people.add_proven(lab.actor(person), lab.people.arrive(Proven(proved.issuer, proved.subject)).proof)
    second = lab.people.add_address(lab.actor(person), lab.people.ask_address(lab.actor(person), "b@second.example"))
    lab.bar(person)
    for session in (lab.people.arrive(proved).session, lab.people.sign_in(lab.people.ask(second.subject))):
        known = lab.people.session(session)
        assert known is not None
        assert known.id == person.id
    # Also by what they have taken off their account before: it begins no second one, and is added to none.
    lab.people.remove_identity(lab.actor(person), proved.issuer, proved.subject)
    lab.people.remove_identity(lab.actor(person), second.issuer, second.subject)
    assert lab.people.arrive(proved).session == ""
    with pytest.raises(Refused, match="people/identity-ended"):
        lab.people.sign_in(lab.people.ask(second.subject))
    fresh = lab.actor(lab.person())
    with pytest.raises(Refused, match="people/identity-taken"):
        lab.people.arrive(proved, fresh)
    with pytest.raises(Refused, match="people/identity-taken"):
        lab.people.add_address(fresh, lab.people.ask_address(fresh, second.subject))
    with pytest.raises(Refused, match="people/identity-taken"):
        lab.people.add_proven(fresh, lab.people.arrive(proved).proof)


def test_a_bar_stops_the_keys_of_either_account(lab: Lab) -> None:
    reader, other = lab.person(), lab.person()
    award = Award("", "reading-room", "text", Amounts(passes=10), FAR, "reading")
    grant, key, _ = issue_discretionary(lab.house, lab.operator, reader.email, award, accept_terms=True)
    lab.bar(other)
    lab.own(other, reader)
    with lab.house.db.read() as tx:
        facts = access.facts_for_grant(tx, grant.id)
        mine = access.key(tx, key.id)
        version = access.version(tx)
    assert facts is not None
    assert mine is not None
    assert facts.barred_until == FAR
    assert mine.person == reader.id
    lab.own(lab.person(), lab.person())
    with lab.house.db.read() as tx:
        assert access.version(tx) > version, "the workers look again"


@pytest.mark.parametrize(("elders", "youngers"), [(1, 2), (2, 1)])
def test_of_two_bars_the_longer_stays(lab: Lab, elders: int, youngers: int) -> None:
    elder, younger = lab.person(), lab.person()
    for person, years in ((elder, elders), (younger, youngers)):
        lab.bar(person, FAR + timedelta(days=365 * years))
    lab.own(elder, younger)
    assert lab.barred(elder) == FAR + timedelta(days=730)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_after_any_bars_and_merges_a_person_is_barred_as_long_as_any_account_of_theirs_was(
    lab: Lab, data: st.DataObject
) -> None:
    accounts = [lab.person() for _ in range(4)]
    # A model: whose account each is, and for how many days each person is barred.
    root: list[int] = list(range(4))
    model: list[int | None] = [None] * 4

    def latest(*days: int | None) -> int | None:
        return max((each for each in days if each is not None), default=None)

    for _ in range(data.draw(st.integers(2, 6))):
        one, other = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
        if data.draw(st.booleans()):
            days = data.draw(st.integers(1, 60))
            if model[root[one]] is None:  # a bar that stands is changed by other rules
                person = lab.people.named(accounts[one].email)
                lab.bar(person, lab.clock.now().replace(microsecond=0) + timedelta(days=days))
                model[root[one]] = days
        elif root[one] != root[other]:
            merge = lab.own if data.draw(st.booleans()) else _decided(lab)
            merge(lab.people.named(accounts[one].email), lab.people.named(accounts[other].email))
            stays, goes = sorted((root[one], root[other]))
            model[stays] = latest(model[stays], model[goes])
            root = [stays if each == goes else each for each in root]
        for account, belongs in zip(accounts, root, strict=True):
            found, days_left = lab.barred(account), model[belongs]
            assert (found is None) == (days_left is None)
            if found is not None and days_left is not None:
                assert timedelta(days=days_left - 1) < found - lab.clock.now() <= timedelta(days=days_left)


def _decided(lab: Lab) -> Callable[[Person, Person], Person]:
    return lambda one, other: lab.people.merge(lab.operator, one.id, other.id, "one person")
