"""The named cast of the simulator, shared by the demo, the tests and the screenshots. None of them exists."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast."""

    name: str
    email: str
    affiliation: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applicant(Member):
    """One who applies, with the answers given and the scores that each reviewer will give."""

    purpose: str = ""
    asks: str = ""
    passes: int = 0
    why: str = ""
    risks: str = ""
    scores: tuple[dict[str, int], dict[str, int]] = field(default_factory=lambda: ({}, {}))
    risk_opinion: str = "ok"


STEWARD = Member("Hilda Petrovic", "hilda@lab.example", "Example Lab", ("steward",))
DEPUTY = Member("Cuthbert Osei", "cuthbert@lab.example", "Example Lab", ("steward", "safety"))
TESTER = Member("Bede Nakamura", "bede@lab.example", "Example Lab", ("tester",))
REVIEWERS = (
    Member("Aldhelm Fischer", "aldhelm@north.example", "North University", ("reviewer",)),
    Member("Leoba Marchetti", "leoba@south.example", "South Institute", ("reviewer",)),
)
AUDITOR = Member("Theodora Quist", "theodora@audit.example", "Audit Office", ("auditor",))
STAFF = (STEWARD, DEPUTY, TESTER, *REVIEWERS, AUDITOR)

# Who comes in only where the tale is told at full length: in the browser, with a panel, an appeal and a team.
THIRD_REVIEWER = Member("Mildrith Sato", "mildrith@isle.example", "Isle University", ("reviewer",))
CHAIR = Member("Wulfstan Okafor", "wulfstan@council.example", "Council of Readers", ("panel",))
HEARERS = (
    Member("Ethelburga Silva", "ethelburga@bench.example", "Bench of Appeal", ("panel",)),
    Member("Cynewulf Nowak", "cynewulf@bench.example", "Bench of Appeal", ("panel",)),
)
COLLEAGUE = Member("Edith Kowalski", "edith@east.example", "East University")
GUARANTOR = Member("Dunstan Rivera", "dunstan@east.example", "East University")

APPLICANTS = (
    Applicant(
        "Wilfrid Adeyemi", "wilfrid@east.example", "East University",
        purpose="How small instruction-tuned models handle negation",
        asks="Short prompts with and without negation; answers of one sentence",
        passes=12_000, why="600 prompts of 20 passes each, asked once",
        risks="None beyond ordinary text; prompts hold no personal data",
        scores=({"merit": 5, "need": 4}, {"merit": 5, "need": 5}),
    ),
    Applicant(
        "Frideswide Tanaka", "frideswide@west.example", "West College",
        purpose="A classroom exercise on reading model output critically",
        asks="Questions that thirty students write under supervision",
        passes=9_000, why="30 students, 10 questions, 30 passes",
        risks="Students may ask rude things; a teacher reads along",
        scores=({"merit": 4, "need": 4}, {"merit": 4, "need": 3}),
    ),
    Applicant(
        "Eadgyth Romero", "eadgyth@hill.example", "Hill Polytechnic",
        purpose="Measuring how often answers repeat the question",
        asks="Trivia in three phrasings",
        passes=15_000, why="500 questions, 3 phrasings, 10 passes",
        risks="None known",
        scores=({"merit": 4, "need": 3}, {"merit": 3, "need": 3}),
    ),
    Applicant(
        "Oswald Lindqvist", "oswald@vale.example", "Vale Ltd",
        purpose="A writing tool for our customers",
        asks="Whatever customers type",
        passes=30_000, why="As much as we can get",
        risks="Unknown",
        scores=({"merit": 2, "need": 1}, {"merit": 1, "need": 2}),
    ),
    Applicant(
        "Godiva Haddad", "godiva@mill.example", "Mill Collective",
        purpose="Extracting the model's training text at scale",
        asks="Prefixes of books, continued as long as possible",
        passes=20_000, why="2,000 prefixes, 10 passes",
        risks="We would publish what we find",
        scores=({"merit": 4, "need": 4}, {"merit": 4, "need": 4}),
        risk_opinion="veto",
    ),
)  # fmt: skip
