"""Tables of the admissions room. What applicants and reviewers write is here and nowhere else."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.core.canonical import Json
from readingroom.store.db import Moment, metadata
from readingroom.store.moving import OLDER, refers
from readingroom.store.personal import personal, whose


def blank_draft(draft: Json) -> Json:
    """Return what is left of a draft once its person is erased: the amount and the tier, for the counts."""
    return {**draft, "answers": {}, "team": []}


def without_words(judgement: Json) -> Json:
    """Return what is left of a judgement: the figures and codes on which an allocation rests."""
    return {**judgement, "comment": "", "risk_reason": "", "comments": {}}


call = sa.Table(
    "admissions_call",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("file", sa.Text, nullable=False),  # as it was opened, byte for byte
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("seed", sa.LargeBinary, nullable=False),
    sa.Column("seed_commitment", sa.String, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("opened_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("closed_at", Moment),
    sa.Column("series", sa.String, nullable=False, server_default="", index=True),  # opened together; its first's id
    sa.Column("part", sa.Integer, nullable=False, server_default="0"),
    sa.Column("terms_digest", sa.String, nullable=False, server_default=""),
    sa.Column("tickets", sa.JSON(none_as_null=True)),  # under which applications draw lots; fixed at closing
)
call_draft = sa.Table(  # kept until it is opened or thrown away
    "admissions_call_draft",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("updated_by", sa.String, nullable=False, info=refers("person")),
)
application = sa.Table(
    "admissions_application",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
    sa.Column("person_id", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("draft", sa.JSON, nullable=False, **personal(blank_draft)),
    sa.Column("note", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("correct_until", Moment),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # counts every change
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("arrived_at", Moment),  # when it was first submitted to this call: the order of the desk's lists
    sa.Index("ix_admissions_application_arrived", "call_id", "arrived_at", "id"),
    **whose("person_id"),
)
version = sa.Table(
    "admissions_version",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("draft", sa.JSON, nullable=False, **personal(blank_draft)),
    sa.Column(
        "salt", sa.LargeBinary, nullable=False, **personal(b"")
    ),  # erased with the text, the commitment says nothing
    sa.Column("commitment", sa.String, nullable=False),
    sa.Column("submitted_at", Moment, nullable=False),
    **whose("application_id"),
)
review = sa.Table(
    "admissions_review",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), nullable=False),
    sa.Column("reviewer_id", sa.String, nullable=False, index=True, info=refers("person", of_two=OLDER)),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("assigned_salt", sa.LargeBinary, nullable=False),  # of the assignment that made it
    sa.Column("judgement", sa.JSON(none_as_null=True), **personal(without_words)),
    sa.Column("salt", sa.LargeBinary, **personal(b"")),
    sa.Column("submitted_at", Moment),
    sa.UniqueConstraint("application_id", "reviewer_id"),
    **whose("reviewer_id", "application_id", shown=("reviewer_id",)),
)
allocation = sa.Table(
    "admissions_allocation",
    metadata,
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), primary_key=True),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("allocated_at", Moment, nullable=False),
    sa.Column("allocated_by", sa.String, nullable=False, info=refers("person")),
)
decision = sa.Table(
    "admissions_decision",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False, **personal("")),
    sa.Column("differ", sa.Text, nullable=False),
    sa.Column("reapply_from", Moment, nullable=False),
    sa.Column("appeal", sa.Text, nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("sheet", sa.JSON(none_as_null=True)),
    **whose("application_id"),
)
award = sa.Table(
    "admissions_award",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), nullable=False, unique=True),
    sa.Column("person_id", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("tier", sa.String, nullable=False),
    sa.Column("passes", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger),
    sa.Column("calls", sa.BigInteger),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("terms", sa.String, nullable=False),
    sa.Column("accept_by", Moment, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    **whose("person_id"),
)
posting = sa.Table(
    "admissions_posting",
    metadata,
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("unit", sa.String, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("award_id", sa.String, nullable=False, server_default=""),
    sa.Column("posted_at", Moment, nullable=False),
    sa.CheckConstraint("amount > 0", name="positive"),
)
child = sa.Table(
    "admissions_child",
    metadata,
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), primary_key=True),
    sa.Column("parent_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
)
observed = sa.Table(  # what the house saw used under the grants of who applies for a renewal, as it was submitted
    "admissions_observed",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("usage", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
request = sa.Table(
    "admissions_request",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
    sa.Column("award_id", sa.ForeignKey("admissions_award.id"), nullable=False, index=True),
    sa.Column("person_id", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("answers", sa.JSON, nullable=False, **personal({})),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("passes", sa.BigInteger, nullable=False),
    sa.Column("given", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("note", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("observed", sa.JSON(none_as_null=True)),
    sa.Column("filed_at", Moment, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("decided_by", sa.String, nullable=False, server_default="", info=refers("person")),
    **whose("person_id"),
)
appeal = sa.Table(
    "admissions_appeal",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("call_id", sa.String, nullable=False, index=True),  # empty where no call made the grant
    sa.Column("person_id", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("ground", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False, **personal("")),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("lodged_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("panel", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("bar", sa.String),
    sa.Column("passes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("place", sa.Boolean, nullable=False),
    sa.Column("admitted_by", sa.String, nullable=False, server_default="", info=refers("person")),
    sa.Column("concluded_at", Moment),
    sa.Column("involved", sa.JSON, nullable=False, info=refers("person")),
    sa.Column("told", sa.JSON(none_as_null=True)),
    **whose("person_id"),
)
voice = sa.Table(
    "admissions_voice",
    metadata,
    sa.Column("appeal_id", sa.ForeignKey("admissions_appeal.id"), primary_key=True),
    sa.Column("person_id", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, **personal("")),
    sa.Column("at", Moment, nullable=False),
    **whose("person_id", "appeal_id"),
)
attachment = sa.Table(  # bytes that are kept and handed out, and never opened
    "admissions_attachment",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),  # kept on for a submitted version that holds it
    **whose("application_id", gone=True),
)
invitation = sa.Table(
    "admissions_invitation",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), nullable=False, index=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("email", sa.String, nullable=False, **personal("")),
    sa.Column("hash", sa.String, nullable=False, unique=True),  # of the newest letter's secret
    sa.Column(
        "person_id", sa.String, nullable=False, server_default="", index=True, info=refers("person")
    ),  # who answered
    sa.Column("words", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("version", sa.Integer),  # of the application, which a guarantor vouched for
    sa.Column("letters", sa.Integer, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    **whose("person_id", "application_id", address="email"),
)
step = sa.Table(  # what an applicant is told of: the ledger's entries about one application, and none of reviewers
    "admissions_step",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("by_id", sa.String, nullable=False, info=refers("person")),
    sa.Column("data", sa.JSON, nullable=False, info=refers("person")),
    **whose("application_id"),
)
desk_check = sa.Table(
    "admissions_desk_check",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
    sa.Column("checked_at", Moment, nullable=False),
    sa.Column("checked_by", sa.String, nullable=False, info=refers("person")),
    **whose("application_id"),
)
sift = sa.Table(
    "admissions_sift",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), nullable=False, index=True),
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), nullable=False),
    sa.Column("reviewer_id", sa.String, nullable=False, index=True, info=refers("person", of_two=OLDER)),
    sa.Column("score", sa.Integer),
    sa.Column("comment", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("salt", sa.LargeBinary, **personal(b"")),
    sa.Column("submitted_at", Moment),
    sa.UniqueConstraint("application_id", "reviewer_id"),
    **whose("reviewer_id", "application_id"),
)
sift_ruling = sa.Table(  # a person's word on an application under the line that goes on all the same
    "admissions_sift_ruling",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("note", sa.Text, nullable=False, **personal("")),
    sa.Column("ruled_at", Moment, nullable=False),
    sa.Column("ruled_by", sa.String, nullable=False, info=refers("person")),
    **whose("application_id"),
)
reviewer = sa.Table(
    "admissions_reviewer",
    metadata,
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), primary_key=True),
    sa.Column("person_id", sa.String, primary_key=True, index=True, info=refers("person", of_two=OLDER)),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("topics", sa.JSON, nullable=False, **personal([])),
    sa.Column("load", sa.Integer),
    sa.Column("answer_by", Moment),
    sa.Column("invited_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    **whose("person_id"),
)
tie = sa.Table(  # whom somebody declares as near: third persons' names, here and nowhere else
    "admissions_tie",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("person_id", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("said_at", Moment, nullable=False),
    # of who said it, and of whom it is said, who is not told
    **whose("person_id", address="who", gone=True, shown=("person_id",)),
)
finding = sa.Table(
    "admissions_finding",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("person_id", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False, **personal("")),
    sa.Column("disposition", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False, server_default="", info=refers("person")),
    sa.Column("decided_at", Moment),
    **whose("person_id", "application_id", shown=()),  # it rests on what the other side said of itself
)
phase = sa.Table(
    "admissions_phase",
    metadata,
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("due", Moment),
    sa.Column("moved_at", Moment, nullable=False),
    sa.Column("moved_by", sa.String, nullable=False, info=refers("person")),
)
review_version = sa.Table(
    "admissions_review_version",
    metadata,
    sa.Column("review_id", sa.ForeignKey("admissions_review.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("judgement", sa.JSON, nullable=False, **personal(without_words)),
    sa.Column("why", sa.Text, nullable=False, **personal("")),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("submitted_at", Moment, nullable=False),
    **whose("review_id"),
)
case = (
    sa.Table(  # what an application is called where its id, which stands beside a pseudonym in the log, says too much
        "admissions_case",
        metadata,
        sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
    )
)
risk = sa.Table(
    "admissions_risk",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("person_id", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("opinion", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, **personal("")),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("given_at", Moment, nullable=False),
    **whose("person_id", "application_id", shown=("person_id",)),
)
panel_note = sa.Table(
    "admissions_panel_note",
    metadata,
    sa.Column("application_id", sa.ForeignKey("admissions_application.id"), primary_key=True),
    sa.Column("person_id", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("rank", sa.Integer),
    sa.Column("comment", sa.Text, nullable=False, **personal("")),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("written_at", Moment, nullable=False),
    **whose("person_id", "application_id", shown=("person_id",)),
)
entry = sa.Table(
    "admissions_entry",  # where in the ledger a call's own entries stand, so that a dossier can prove them
    metadata,
    sa.Column("call_id", sa.ForeignKey("admissions_call.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("event", sa.String, nullable=False),
)
