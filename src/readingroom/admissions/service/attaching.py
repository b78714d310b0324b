"""Files of an application: attached and taken out by the applicant, downloaded by whom the application is shown to."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.admissions import attachments, queries, rules, tables
from readingroom.admissions.attachments import Attachment, Handed
from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Answer, Application, Draft
from readingroom.admissions.service.base import Base, as_submitted
from readingroom.core.canonical import sha256
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor

T = tables.attachment


class Attaching(Base):
    """Use cases of attachments. Like what is saved, they count once they are submitted."""

    def attach(self, by: Actor, application: str, question: str, name: str, content: bytes) -> Attachment:
        """Keep a file as an answer to a question.

        Raises:
            BadInput: it is no file of a kind, a size or a number that the question takes.
        """
        now, digest = self._clock.now(), sha256(content)
        with self._db.write() as tx:
            found, file = self._amendable(tx, by, application)
            asked = next((each for each in file.form if each.name == question), None)
            held = queries.attachments(tx, application)
            if problem := attachments.problem(asked, content, name, held):
                raise BadInput([problem])
            kind = attachments.kind_of(content, name)
            assert kind is not None  # noqa: S101 - `problem` has looked
            named = {"question": question, "name": attachments.clean_name(name, kind), "kind": kind.value}
            if any(each.digest == digest for each in held):  # it was here before, and was taken out
                again = named | {"removed_at": None, "added_at": now}
                tx.execute(T.update().where(_this(application, digest)).values(again))
            else:
                key = {"application_id": application, "digest": digest, "size": len(content), "content": content}
                tx.execute(T.insert().values(named | key | {"added_at": now}))
            self._answer(tx, found, file)
            return next(each for each in queries.attachments(tx, application) if each.digest == digest)

    def detach(self, by: Actor, application: str, digest: str) -> None:
        """Take a file out. One that a submitted version holds is kept for that version; any other is gone."""
        with self._db.write() as tx:
            found, file = self._amendable(tx, by, application)
            held = queries.attachments(tx, application)
            if not any(each.digest == digest and each.removed_at is None for each in held):
                raise Refused(_unknown())
            frozen = [answer for each in queries.versions(tx, application) for answer in each.draft.answers.values()]
            if any(isinstance(answer, tuple) and digest in answer for answer in frozen):
                tx.execute(T.update().where(_this(application, digest)).values(removed_at=self._clock.now()))
            else:
                tx.execute(T.delete().where(_this(application, digest)))
            self._answer(tx, found, file)

    def attachments(self, by: Actor, application: str) -> list[Attachment]:
        """Return the files of an application that is shown to somebody: of what was submitted, to all but the team."""
        with self._db.read() as tx:
            return self._files(tx, self._readable(tx, by, application))

    def attachment(self, by: Actor, application: str, digest: str) -> Handed:
        """Hand out one file; one that is not shown to somebody is answered like one that is not there."""
        with self._db.read() as tx:
            found = self._readable(tx, by, application)
            inside = self._inside(tx, by, found)  # who sees the files of earlier versions too
            return _hand_out(tx, queries.attachments(tx, application) if inside else self._files(tx, found), digest)

    def review_attachment(self, by: Actor, review: str, digest: str) -> Handed:
        """Hand one file to a reviewer of the version that counts, under a name that tells of nobody."""
        with self._db.read() as tx:
            mine = next((each for each in queries.reviews_by(tx, by.id) if each.id == review), None)
            found = queries.application(tx, mine.application) if mine else None
            require(rules.check_assigned(by, mine, found))
            if found is None or found.submitted is None:
                raise Refused(_unknown())
            form = self._call(tx, found.call).file.form
            shown = {each.name for each in form if each.shown}
            files = [each for each in self._files(tx, as_submitted(found)) if each.question in shown]
            place = next((at for at, each in enumerate(files, 1) if each.digest == digest), 0)
            about = next((each for each in files if each.digest == digest), None)
            return _hand_out(tx, files, digest, f"{about.question}-{place}.{about.kind.value}" if about else "")

    def _files(self, tx: Connection, found: Application) -> list[Attachment]:
        """Return the files that an application's draft, or the version in its place, holds."""
        named = {digest for each in found.draft.answers.values() if isinstance(each, tuple) for digest in each}
        return [each for each in queries.attachments(tx, found.id) if each.digest in named]

    def _amendable(self, tx: Connection, by: Actor, application: str) -> tuple[Application, CallFile]:
        found = self._own(tx, by, application)
        call = self._call(tx, found.call)
        require(rules.check_saving(found) or rules.check_window(call, found, self._clock.now()))
        return found, call.file

    def _answer(self, tx: Connection, found: Application, file: CallFile) -> None:
        """Write what is attached now into the draft."""
        kept = filled(tx, found.id, file, found.draft, trusted=True)
        self._keep(tx, found, kept)


def filled(tx: Connection, application: str, file: CallFile, draft: Draft, *, trusted: bool = False) -> Draft:
    """Return a draft whose answers name the files that are attached: they are never a client's to write.

    Raises:
        BadInput: the draft names files, and not those that are attached.
    """
    actual = attachments.attached(file.form, queries.attachments(tx, application) if application else [])
    takes = {each.name for each in file.form if each.kind is each.kind.ATTACHMENT}
    given = {name: each for name, each in draft.answers.items() if name in takes}
    cure = "Attach files one by one, and leave them out here"
    strange = [name for name, each in given.items() if each and each != actual.get(name)]
    if strange and not trusted:
        raise BadInput([Problem(f"answers.{each}", "does not name what is attached", cure) for each in strange])
    rest: dict[str, Answer] = {name: each for name, each in draft.answers.items() if name not in takes}
    return Draft(rest | actual, draft.passes, draft.tier, draft.team)


def _hand_out(tx: Connection, shown: list[Attachment], digest: str, name: str = "") -> Handed:
    about = next((each for each in shown if each.digest == digest), None)
    if about is None:
        raise Refused(_unknown())
    return attachments.handed(about, queries.content(tx, about.application, digest), name)


def _this(application: str, digest: str) -> sa.ColumnElement[bool]:
    return (T.c.application_id == application) & (T.c.digest == digest)


def _unknown() -> Refusal:
    return Refusal("admissions/attachment-unknown", "There is no file by this digest here.")
