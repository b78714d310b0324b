"""The applicant's side of a house, beside its HOME or from afar: one set of acts, and two ways to each."""

# ruff: noqa: D102 - what each act does stands at the command and at the route

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from readingroom.admissions.model import Draft
from readingroom.admissions.teams import Part
from readingroom.cli import remote
from readingroom.cli.context import Context
from readingroom.cli.remote import part
from readingroom.core.settings import FILE

if TYPE_CHECKING:
    from readingroom.app.house import House
    from readingroom.people.model import Actor

Document = dict[str, Any]
Server = Annotated[str, typer.Option(help="The house, where it is not beside this terminal [default: of `login URL`]")]


class Side(Protocol):
    """What an applicant can do; each returns the document that the control API answers with."""

    def start(self, call: str, draft: Draft) -> Document: ...
    def save(self, application: str, draft: Draft, revision: int | None) -> Document: ...
    def act(self, application: str, act: str) -> Document: ...
    def show(self, application: str) -> Document: ...
    def mine(self) -> list[Document]: ...
    def look(self, application: str, at: str) -> Any: ...  # noqa: ANN401 - JSON
    def difference(self, application: str, old: int, new: int) -> Document: ...
    def attach(self, application: str, question: str, name: str, content: bytes) -> Document: ...
    def detach(self, application: str, digest: str) -> None: ...
    def download(self, application: str, digest: str) -> bytes: ...
    def invite(self, application: str, email: str, as_part: Part) -> Document: ...
    def remind(self, invitation: str) -> Document: ...
    def remove(self, invitation: str) -> Document: ...
    def answer(self, secret: str, *, accept: bool, words: str) -> Document: ...
    def awards(self) -> list[Document]: ...
    def answer_award(self, award: str, *, accept: bool) -> Document: ...


def side(context: Context, server: str = "") -> Side:
    """Return the house beside this terminal, or the server at which somebody signed in from here.

    The server is asked where it is named, or where there is no house here.
    """
    if server or not (context.home / FILE).exists():
        found = remote.bound(server)
        if found is not None:
            return Afar(found)
    return Beside(context.house, context.actor)


@dataclass(frozen=True)
class Beside:
    """A house beside its HOME."""

    house: House
    by: Actor

    def start(self, call: str, draft: Draft) -> Document:
        from readingroom.app import desk

        return desk.application_json(self.house.admissions.start(self.by, call, draft))

    def save(self, application: str, draft: Draft, revision: int | None) -> Document:
        from readingroom.app import desk

        return desk.application_json(self.house.admissions.save(self.by, application, draft, revision))

    def act(self, application: str, act: str) -> Document:
        from readingroom.app import applying, desk

        admissions = self.house.admissions
        if act == "leave":
            return applying.invitation_json(admissions.leave(self.by, application))
        does = {"submit": admissions.submit, "withdraw": admissions.withdraw}[act]
        return desk.application_json(does(self.by, application))

    def show(self, application: str) -> Document:
        from readingroom.app import desk

        return desk.application_json(self.house.admissions.application(self.by, application))

    def mine(self) -> list[Document]:
        from readingroom.app import desk

        return [desk.application_json(each) for each in self.house.admissions.my_applications(self.by)]

    def look(self, application: str, at: str) -> Any:  # noqa: ANN401 - JSON
        from readingroom.app import applying

        admissions = self.house.admissions
        if at == "history":
            return applying.history(self.house, self.by, application)
        if at == "decision":
            return applying.decision_json(self.house, self.by, application)
        if at == "versions":
            return [applying.version_json(each) for each in admissions.versions(self.by, application)]
        if at == "observed":
            return {"application": application, "observed": admissions.observed(self.by, application) or []}
        if at == "team":
            return [applying.invitation_json(each) for each in admissions.team(self.by, application)]
        return [applying.attachment_json(each) for each in admissions.attachments(self.by, application)]

    def difference(self, application: str, old: int, new: int) -> Document:
        from readingroom.app import applying

        return applying.difference(self.house, self.by, application, old, new)

    def attach(self, application: str, question: str, name: str, content: bytes) -> Document:
        from readingroom.app import applying

        made = self.house.admissions.attach(self.by, application, question, name, content)
        return applying.attachment_json(made)

    def detach(self, application: str, digest: str) -> None:
        self.house.admissions.detach(self.by, application, digest)

    def download(self, application: str, digest: str) -> bytes:
        return self.house.admissions.attachment(self.by, application, digest).content

    def invite(self, application: str, email: str, as_part: Part) -> Document:
        from readingroom.app import applying

        return applying.invite(self.house, self.by, application, email, as_part)

    def remind(self, invitation: str) -> Document:
        from readingroom.app import applying

        return applying.remind(self.house, self.by, invitation)

    def remove(self, invitation: str) -> Document:
        from readingroom.app import applying

        return applying.invitation_json(self.house.admissions.remove(self.by, invitation))

    def answer(self, secret: str, *, accept: bool, words: str) -> Document:
        from readingroom.app import applying

        made = self.house.admissions.answer(self.by, secret, accept=accept, words=words)
        return applying.invitation_json(made)

    def awards(self) -> list[Document]:
        from readingroom.app import desk

        return [desk.award_json(each) for each in self.house.admissions.my_awards(self.by)]

    def answer_award(self, award: str, *, accept: bool) -> Document:
        from readingroom.app import desk

        admissions = self.house.admissions
        return desk.award_json((admissions.accept_award if accept else admissions.decline_award)(self.by, award))


@dataclass(frozen=True)
class Afar:
    """A house over its control API."""

    server: remote.Server

    def start(self, call: str, draft: Draft) -> Document:
        return self._document("POST", f"/api/calls/{part(call)}/applications", draft.to_json())

    def save(self, application: str, draft: Draft, revision: int | None) -> Document:
        based_on = {} if revision is None else {"if-match": f'"{revision}"'}
        return self._document("PATCH", f"/api/applications/{part(application)}", draft.to_json(), based_on)

    def act(self, application: str, act: str) -> Document:
        return self._document("POST", f"/api/applications/{part(application)}/{act}")

    def show(self, application: str) -> Document:
        return self._document("GET", f"/api/applications/{part(application)}")

    def mine(self) -> list[Document]:
        found: list[Document] = self.server.ask("GET", "/api/applications/mine")
        return found

    def look(self, application: str, at: str) -> Any:  # noqa: ANN401 - JSON
        return self.server.ask("GET", f"/api/applications/{part(application)}/{at}")

    def difference(self, application: str, old: int, new: int) -> Document:
        return self._document("GET", f"/api/applications/{part(application)}/difference?old={old}&new={new}")

    def attach(self, application: str, question: str, name: str, content: bytes) -> Document:
        body = {"question": question, "name": name, "content": base64.b64encode(content).decode()}
        return self._document("POST", f"/api/applications/{part(application)}/attachments", body)

    def detach(self, application: str, digest: str) -> None:
        self.server.ask("DELETE", f"/api/applications/{part(application)}/attachments/{part(digest)}")

    def download(self, application: str, digest: str) -> bytes:
        found: bytes = self.server.ask("GET", f"/api/applications/{part(application)}/attachments/{part(digest)}")
        return found

    def invite(self, application: str, email: str, as_part: Part) -> Document:
        body = {"email": email, "part": as_part.value}
        return self._document("POST", f"/api/applications/{part(application)}/invitations", body)

    def remind(self, invitation: str) -> Document:
        return self._document("POST", f"/api/invitations/{part(invitation)}/remind")

    def remove(self, invitation: str) -> Document:
        return self._document("DELETE", f"/api/invitations/{part(invitation)}")

    def answer(self, secret: str, *, accept: bool, words: str) -> Document:
        return self._document("POST", "/api/letters/answer", {"secret": secret, "accept": accept, "words": words})

    def awards(self) -> list[Document]:
        found: list[Document] = self.server.ask("GET", "/api/awards/mine")
        return found

    def answer_award(self, award: str, *, accept: bool) -> Document:
        return self._document("POST", f"/api/awards/{part(award)}/{'accept' if accept else 'decline'}")

    def _document(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Document:
        found: Document = self.server.ask(method, path, body, headers)
        return found
