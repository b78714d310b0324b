from __future__ import annotations

import pytest

from admissions.world import World
from readingroom.admissions import queries
from readingroom.admissions.conflicts import Graph, Party, Side, fold_who
from readingroom.admissions.domains import same_house
from readingroom.admissions.model import ConflictKind, Severity
from readingroom.people.model import Claim, FactKind

REVIEWER = Party("person_r", "r@north.example", "North University", "Rae Moor")
APPLICANT = Party("person_a", "a@east.example", "East", "Ada Lane")
K = ConflictKind


def side(
    email: str = "a@east.example",
    work: str = "East",
    team: tuple[str, ...] = (),
    who: str = "person_a",
    name: str = "Ada Lane",
) -> Side:
    return Side("application_1", Party(who, email, work, name), team)


def kinds(reviewer: Party, against: Side, *others: Side, declared: bool = False) -> set[ConflictKind]:
    pairs = frozenset({(against.application, reviewer.person)}) if declared else frozenset()
    graph = Graph({each.application: each for each in (against, *others)}, pairs)
    return {each.kind for each in graph.between(reviewer)(against.application)}


@pytest.mark.parametrize(
    ("against", "found"),
    [
        (side(), set()),
        (side(who="person_r", email="r@home.example"), {K.OWN}),
        (side(team=("r@north.example",)), {K.TEAM, K.DOMAIN}),
        (side(email="a@north.example"), {K.DOMAIN}),
        (side(email="a@cs.north.example"), {K.DOMAIN}),
        (side(team=("x@north.example.evil.example",)), set()),
        (side(team=("x@NORTH.example".casefold(),)), {K.DOMAIN}),
        (side(email="a@notnorth.example"), set()),
        (side(work="NORTH  university."), {K.AFFILIATION}),
        (side(work=""), set()),
    ],
)
def test_a_conflict_is_found_by_what_it_rests_on(against: Side, found: set[ConflictKind]) -> None:
    assert kinds(REVIEWER, against) == found


def test_who_belongs_to_a_team_on_their_own_word_counts_as_its_people_do() -> None:
    member = Party("person_m", "m@cs.north.example", "Elsewhere")
    assert kinds(REVIEWER, Side("application_1", APPLICANT, (), (member,))) == {K.DOMAIN}
    assert K.TEAM in kinds(member, Side("application_1", APPLICANT, (), (member,)))


def test_who_competes_in_a_call_judges_nobody_in_it() -> None:
    own = Side("application_2", Party("person_r", "x@west.example", ""))
    assert kinds(REVIEWER, side(), own) == {K.COMPETITOR}


def test_an_applicant_cannot_take_reviewers_from_others_by_naming_them_as_a_team() -> None:
    greedy = Side("application_2", Party("person_x", "x@west.example", ""), ("r@north.example", "a@east.example"))
    assert kinds(REVIEWER, side(), greedy) == set()
    assert kinds(REVIEWER, greedy, side()) == {K.TEAM, K.DOMAIN}


def test_who_stands_with_its_people_elsewhere_in_the_call_is_in_conflict_on_their_own_word() -> None:
    other = Side("application_2", Party("person_x", "x@west.example", ""), ("r@north.example",))
    assert kinds(REVIEWER, side(team=("x@west.example",)), other) == {K.CO_APPLICANT}
    joined = Side("application_2", Party("person_x", "x@west.example", ""), ("r@north.example",), (APPLICANT,))
    assert kinds(REVIEWER, side(), joined) == {K.CO_APPLICANT}


@pytest.mark.parametrize("word", ["r@north.example", "R@North.example", "Rae Moor", "rae  MOOR"])
def test_either_sides_word_of_a_collaborator_or_a_supervisor_is_enough(word: str) -> None:
    said = frozenset({fold_who(word)})
    applicant = Party("person_a", "a@east.example", "East", "Ada Lane", coauthors=said)
    assert kinds(REVIEWER, Side("application_1", applicant)) == {K.COAUTHOR}
    supervised = Party("person_a", "a@east.example", "East", "Ada Lane", supervisors=said)
    assert kinds(REVIEWER, Side("application_1", supervised)) == {K.SUPERVISOR}
    mine = Party("person_r", "r@north.example", "", "Rae Moor", coauthors=frozenset({"ada lane"}))
    assert kinds(mine, side()) == {K.COAUTHOR}
    assert kinds(Party("person_q", "q@far.example", "", "Rae Mooring"), Side("application_1", applicant)) == set()


def test_a_name_of_one_word_names_nobody() -> None:
    said = frozenset({"rae"})
    applicant = Party("person_a", "a@east.example", "East", "Ada Lane", coauthors=said)
    assert kinds(Party("person_r", "r@north.example", "", "Rae"), Side("application_1", applicant)) == set()


def test_whom_the_applicant_asks_to_be_spared_and_colleagues_at_the_lab_are_in_conflict() -> None:
    spared = Side("application_1", APPLICANT, named=frozenset({"rae moor"}))
    assert kinds(REVIEWER, spared) == {K.NAMED}
    staff = Side("application_1", Party("person_a", "a@east.example", "", staff=True))
    assert kinds(Party("person_s", "s@lab.example", "", staff=True), staff) == {K.STAFF}
    assert kinds(REVIEWER, staff) == set()


def test_a_declared_conflict_stands_for_that_application_only() -> None:
    other = Side("application_2", Party("person_b", "b@west.example", ""))
    assert kinds(REVIEWER, side(), other, declared=True) == {K.DECLARED}
    graph = Graph({"application_2": other}, frozenset({("application_1", "person_r")}))
    assert graph.between(REVIEWER)("application_2") == ()


def test_the_call_says_how_much_a_kind_weighs_and_which_do_not_apply_but_for_those_that_are_real_everywhere() -> None:
    ruled = {K.DOMAIN: Severity.POTENTIAL, K.AFFILIATION: None, K.OWN: None}
    against = side(who="person_r", email="a@north.example", work="North University")
    graph = Graph({"application_1": against}, frozenset(), ruled)
    found = {each.kind: each.severity for each in graph.between(REVIEWER)("application_1")}
    assert found == {K.OWN: Severity.REAL, K.DOMAIN: Severity.POTENTIAL}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gmail.com", "gmail.com", False),
        ("mit.example", "mit.example", True),
        ("a.mit.example", "mit.example", True),
        ("", "", False),
        ("a.example", "ba.example", False),
        ("cs.mit.example", "math.mit.example", True),
        ("cl.cam.ac.uk", "maths.cam.ac.uk", True),
        ("cam.ac.uk", "ox.ac.uk", False),
        ("anu.edu.au", "cs.anu.edu.au", True),
        ("uni.de", "edu.de", False),
        ("yahoo.co.uk", "yahoo.co.uk", False),
        ("north.onmicrosoft.com", "south.onmicrosoft.com", False),
        ("localhost", "localhost", True),
    ],
)
def test_public_mail_is_no_house(one: str, other: str, *, same: bool) -> None:
    assert same_house(one, other) is same
    assert same_house(other, one) is same


def test_an_institution_that_vouches_for_both_is_a_conflict_whatever_they_write_of_themselves() -> None:
    """Signed in by one university, and neither address nor what they give says so; by their own word alone, none is."""
    known = frozenset({"University of the North"})
    reviewer = Party("person_r", "r@home.example", "", institutions=known)
    for theirs, found in ((known, {K.AFFILIATION}), (frozenset(), set())):
        applicant = Party("person_a", "a@far.example", "An institute", institutions=theirs)
        assert kinds(reviewer, Side("application_1", applicant)) == found
    given = Party("person_a", "a@far.example", "university of the  NORTH")
    assert kinds(reviewer, Side("application_1", given)) == {K.AFFILIATION}


def test_what_a_steward_confirmed_counts_at_once_and_after_it_ended_and_a_claim_does_not(lite: World) -> None:
    call = lite.open()
    who = lite.person("a@far.example", "An institute")
    made = lite.apply(who, call, 9_000)
    reviewer = lite.reviewers[0]  # writes from north.example, and gives North as the affiliation
    claim = Claim(FactKind.AFFILIATION, "North", None)

    def found() -> set[K]:
        with lite.db.read() as tx:
            graph = queries.graph_near(tx, call, queries.party(tx, reviewer.id), [made.id])
            assert graph.sides[made.id] == queries.graph(tx, call).sides[made.id]
            return {each.kind for each in graph.between(queries.party(tx, reviewer.id))(made.id)}

    claimed = lite.people.claim_fact(who, claim)
    assert found() == set(), "else an applicant could claim every reviewer away"
    lite.people.confirm_fact(lite.steward, claimed.id)
    assert found() == {K.AFFILIATION}
    lite.people.end_fact(lite.steward, claimed.id)
    assert found() == {K.AFFILIATION}, "who left a moment ago is near to it still"
