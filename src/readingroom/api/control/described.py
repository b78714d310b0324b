"""The OpenAPI document as the control API is: who may call without a session, and how faults look. Pure."""

from __future__ import annotations

from typing import Any

from readingroom.api.health import DESCRIBED

# Everything else needs a session; `tests/api/test_openapi.py` asks each operation whether this is so.
OPEN = frozenset({
    ("post", "/api/register"),
    ("post", "/api/sign-in"),
    ("get", "/api/release"),
    ("get", "/api/models"),
    ("get", "/api/calls"),
    ("get", "/api/calls/{call}"),
    ("get", "/api/calls/{call}/account"),
    ("get", "/api/calls/{call}/file"),
    ("get", "/api/calls/{call}/dossier/public"),
    ("get", "/api/terms"),
    ("get", "/api/terms/map"),
    ("get", "/api/terms/changes"),
    ("get", "/api/sanctions/rules"),
    ("get", "/api/register/public"),
    ("get", "/api/samples"),
    ("get", "/api/calls/{call}/calendar.ics"),
    ("get", "/api/works"),
    ("get", "/api/works/bibtex"),
    ("get", "/api/works/csl"),
})  # fmt: skip
# Whom or what these are about stands in the body, so that who is not known there is 404 as well.
NAMES_SOMEBODY = frozenset(
    {
        ("post", "/api/persons/role"),
        ("post", "/api/persons/bar"),
        ("post", "/api/texts/read"),
        ("post", "/api/sanctions"),
        ("post", "/api/letters/read"),
        ("post", "/api/letters/answer"),
        ("post", "/api/conflicts"),
        ("post", "/api/me/addresses/choose"),
        ("post", "/api/me/identities/remove"),
    }
)
_TEXT = {"type": "string"}
_PROBLEM = {"type": "object", "properties": {"where": _TEXT, "what": _TEXT, "cure": _TEXT}}
ERROR = {
    "type": "object",
    "description": "The one shape of every fault.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "type"],
            "properties": {
                "code": {**_TEXT, "description": "`room/what`; stable, and what a program should look at"},
                "message": {**_TEXT, "description": "a sentence for people, with the cure"},
                "type": {**_TEXT, "description": "OpenAI's error type"},
                "facts": {"type": "object", "description": "of a refusal: what it rested on"},
                "problems": {"type": "array", "items": _PROBLEM, "description": "of a bad input: each with its place"},
            },
        }
    },
}
_MEANING = {
    "400": "What was sent cannot be used",
    "401": "Not signed in",
    "403": "Not allowed",
    "404": "Not known here",
    "409": "Not possible as things stand",
    "412": "Changed by somebody else meanwhile",
}


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Return the framework's document with the session, with closed bodies, and with faults as they truly look."""
    parts = dict(document.get("components", {}))
    sent = _sent(document)
    schemas = {name: _closed(each) if name in sent else each for name, each in parts.get("schemas", {}).items()}
    parts["schemas"] = {**schemas, "Error": ERROR}
    session = {"type": "http", "scheme": "bearer", "description": "the secret that POST /api/sign-in returns"}
    parts["securitySchemes"] = {"session": session}
    paths = {
        path: {method: _operation(method, path, found) for method, found in methods.items()}
        for path, methods in document["paths"].items()
    }
    return {**document, "components": parts, "paths": {**paths, **DESCRIBED}}


def _operation(method: str, path: str, found: dict[str, Any]) -> dict[str, Any]:
    needs = (method, path) not in OPEN and path.startswith("/api/")
    codes = {
        "400": "requestBody" in found or any(each["in"] == "query" for each in found.get("parameters", ())),
        "401": needs or path == "/api/sign-in",
        "403": needs or path == "/api/sign-in",
        "404": "{" in path or (method, path) in NAMES_SOMEBODY,
        "409": (needs and method != "get") or path.startswith("/api/calls/{call}/"),  # not yet, as a dossier
        "412": method == "patch",
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    faults = {code: {"description": _MEANING[code], "content": content} for code, may in codes.items() if may}
    good = {code: _files(each) for code, each in found["responses"].items() if not code.startswith("4")}
    security: list[dict[str, list[str]]] = [{"session": []}] if needs else []
    return {**found, "responses": good | faults, "security": security}


def _files(answer: dict[str, Any]) -> dict[str, Any]:
    """Say nothing of what is in a YAML file: it is sent as text, but who reads the document looks inside."""
    content = {kind: {} if "yaml" in kind else each for kind, each in answer.get("content", {}).items()}
    return {**answer, "content": content} if content else answer


def _sent(document: dict[str, Any]) -> frozenset[str]:
    """Return the names of the schemas of bodies that are sent to us, with those inside them."""
    schemas = document.get("components", {}).get("schemas", {})
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    waiting, found = _named([each.get("requestBody", {}) for each in operations]), set[str]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _named(schemas.get(name, {})) - found
    return frozenset(found)


def _named(part: object) -> set[str]:
    """Return the names of all schemas that a part of the document points to."""
    if isinstance(part, dict):
        here = {part["$ref"].rpartition("/")[2]} if isinstance(part.get("$ref"), str) else set()
        return here.union(*map(_named, part.values()))
    return set().union(*map(_named, part)) if isinstance(part, list) else set()


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Say of an object that is sent that a field which is not named is refused."""
    return {**schema, "additionalProperties": False} if "properties" in schema else schema
