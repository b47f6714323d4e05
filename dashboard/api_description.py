"""What the API says of itself: FastAPI's OpenAPI document, with our own way of saying no."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI

from dashboard.csrf import TOKEN_HEADER
from dashboard.sessions import SESSION_COOKIE

PROBLEM_JSON: Final = "application/problem+json"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_PROBLEM: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "Why a request was not answered (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "For people, in the reader's language."},
        "code": {"type": "string", "description": "For programs; stays the same."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "problems": {
            "type": "array",
            "description": "Each value that cannot be used.",
            "items": {
                "type": "object",
                "required": ["where", "why"],
                "properties": {"where": {"type": "string"}, "why": {"type": "string"}},
            },
        },
    },
}
_REFUSED: Final = {
    "description": "Refused, or failed: a problem document.",
    "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_WAYS_IN: Final[dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": f"A signed-in browser; anything but reading also needs {TOKEN_HEADER}.",
    },
}

ADDED: Final[dict[int | str, dict[str, Any]]] = {201: {"description": "Added; it was not there."}}
"""``responses`` of a route that also adds: the answer is the same as of a change."""


class DescribedApp(FastAPI):
    """An application whose OpenAPI document is true also where something is refused."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for operations in document["paths"].values():
                for operation in operations.values():
                    _complete(operation["responses"])
            document = _plainly_named(document)
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            schemas["Problem"] = _PROBLEM
            components["securitySchemes"] = _WAYS_IN
            document["security"] = [{name: []} for name in _WAYS_IN]
            self.openapi_schema = document
        return self.openapi_schema or {}


def body_of(*media_types: str) -> dict[str, Any]:
    """``openapi_extra`` of a route that reads a file as its body."""
    return {"requestBody": {"required": True, "content": _content(media_types)}}


def files(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that answers with a file of one of these types."""
    return {200: {"description": "The file.", "content": _content(media_types)}}


def _content(media_types: Sequence[str]) -> dict[str, Any]:
    kind = {"type": "string", "format": "binary"}
    return {media_type: {"schema": kind} for media_type in media_types}


def _plainly_named(document: dict[str, Any]) -> dict[str, Any]:
    """Pages of lists by their title: ``RulePage``, not ``Page_`` and every kind of rule."""
    schemas = document["components"]["schemas"]
    titles = {name: each["title"] for name, each in schemas.items() if name.startswith("Page_")}

    def named(part: Any) -> Any:
        if isinstance(part, list):
            return [named(each) for each in part]
        if not isinstance(part, dict):
            place, _, name = part.rpartition("/") if isinstance(part, str) else ("", "", part)
            return f"{place}/{titles[name]}" if place and name in titles else part
        return {titles.get(key, key): named(value) for key, value in part.items()}

    renamed: dict[str, Any] = named(document)
    return renamed


def _complete(responses: dict[str, Any]) -> None:
    """Our problems in place of FastAPI's; 201 beside 200 answers the same."""
    responses.pop("422", None)
    responses["default"] = _REFUSED
    if "200" in responses and "201" in responses:
        responses["201"]["content"] = responses["200"]["content"]
