"""What goes wrong, told to people as a page and to programs as ``application/problem+json``."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from dashboard.errors import BadRequest, NotFound, NotSignedIn, Unprocessable, WebError
from dashboard.pages import render
from dashboard.security import add_security_headers
from dashboard.visit import SiteView, Visit, requested_language, services_of
from safety.errors import AnjeonError, StoreUnavailable
from safety.i18n import catalogue, explain, translator
from safety.site.problems import SiteError
from safety.store import refusals

_LOG = structlog.get_logger(__name__)

API_PREFIX = "/api/"


class ServerFault(WebError):
    """Something of ours broke; the log knows more."""

    status = 500


def install(app: FastAPI) -> None:
    """Make every failure a proper answer."""
    app.add_exception_handler(AnjeonError, _known)
    app.add_exception_handler(RequestValidationError, _unparsable)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


def status_of(error: AnjeonError) -> int:
    """The HTTP status that tells what kind of failure it is."""
    match error:
        case WebError():
            return error.status
        case refusals.NotFound():
            return 404
        case refusals.Conflict():
            return 409
        case StoreUnavailable():
            return 503
    return 422


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnjeonError)
    found = error.problems if isinstance(error, SiteError) else ()
    problems = [{"where": f"line {each.line}: {each.place}", "why": each.message} for each in found]
    return await _answer(request, error, problems=problems)


async def _unparsable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        {"where": ".".join(str(part) for part in item["loc"]), "why": str(item["msg"])}
        for item in error.errors()
    ]
    first = problems[0]
    shown = Unprocessable("web.invalid", "{where}: {why}", where=first["where"], why=first["why"])
    return await _answer(request, shown, problems=problems)


async def _unstorable(request: Request, error: Exception) -> Response:
    """PostgreSQL takes no NUL in texts; whoever sends one has made a mistake, not we."""
    shown = Unprocessable(
        "web.unstorable",
        "these values hold characters or numbers that cannot be stored; leave them out",
    )
    return await _answer(request, shown)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return await _answer(request, NotFound())
    shown = BadRequest("web.refused", "this request cannot be answered ({why})", why=error.detail)
    return await _answer(request, shown, status=error.status_code, headers=error.headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    _LOG.error("request_failed", path=request.url.path, exc_info=error)
    shown = ServerFault("web.fault", "this did not work and is in the log; try again")
    response = await _answer(request, shown)
    # This handler runs outside all middleware.
    add_security_headers(response.headers)
    return response


async def _answer(
    request: Request,
    error: AnjeonError,
    *,
    status: int | None = None,
    headers: Any = None,
    problems: Sequence[dict[str, str]] = (),
) -> Response:
    status = status or status_of(error)
    extra = {**(error.headers if isinstance(error, WebError) else {}), **(headers or {})}
    if request.url.path.startswith(API_PREFIX):
        return _problem_json(request, error, status, extra, problems)
    if isinstance(error, NotSignedIn):
        return _to_sign_in(request)
    if isinstance(error, WebError) and error.key == "web.password_first":
        return RedirectResponse("/password", status_code=303)
    return await run_in_threadpool(_page, request, error, status, extra)


def _problem_json(
    request: Request,
    error: AnjeonError,
    status: int,
    headers: dict[str, str],
    problems: Sequence[dict[str, str]],
) -> Response:
    language = requested_language(request, SiteView(language="en"))
    body: dict[str, object] = {
        "type": "about:blank",
        "title": translator(language)(f"error.{status}") if status in _TITLED else "Error",
        "status": status,
        "detail": explain(error, language),
        "code": error.key,
        "instance": request.url.path,
    }
    if problems:
        body["problems"] = list(problems)
    if status == 401:
        headers = {**headers, "www-authenticate": "Bearer"}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"hx-redirect": "/login"})
    wanted = request.url.path if request.method == "GET" and request.url.path != "/" else ""
    return RedirectResponse(f"/login?next={wanted}" if wanted else "/login", status_code=303)


_TITLED = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503})


def _page(request: Request, error: AnjeonError, status: int, headers: dict[str, str]) -> Response:
    visit = Visit(request=request, services=services_of(request), site=SiteView(), identity=None)
    language = visit.language
    titled = f"error.{status}" in catalogue(language)
    return render(
        visit,
        "error.html",
        status=status,
        headers=headers,
        heading=visit.translate(f"error.{status}" if titled else "error.500"),
        explanation=explain(error, language),
        number=status,
    )
