"""Signing in and out, one-time links, and choosing the first password."""

import math
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms
from dashboard.access import PersonVisit, Public
from dashboard.errors import Forbidden, TooManyRequests
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.sessions import SESSION_COOKIE, clear_session_cookie, set_session_cookie
from dashboard.visit import LANGUAGE_COOKIE, Visit
from safety.i18n import explain
from safety.store import accounts, audit, passwords, sessions, throttle
from safety.store.refusals import Invalid
from safety.store.tables import User

_LOG = structlog.get_logger(__name__)

router = APIRouter(include_in_schema=False)


@router.get("/login")
def sign_in_page(visit: Public, next: str = "") -> Response:  # noqa: A002
    if visit.identity is not None:
        return redirect(own_path(next))
    return _sign_in_page(visit, next=next)


@router.post("/login")
def sign_in(visit: Public, form: Form) -> Response:
    login, wanted = forms.text(form, "login", limit=100), forms.text(form, "next")
    address = _address(visit)
    try:
        user = _authenticated(visit, login, forms.secret(form, "password"), address)
    except TooManyRequests as error:
        problem = explain(error, visit.language)
        headers = {**error.headers}
        return _sign_in_page(
            visit, login=login, next=wanted, problem=problem, status=429, headers=headers
        )
    if user is None:
        _LOG.warning("sign_in_failed", login=login, address=address)
        problem = visit.translate("login.wrong")
        return _sign_in_page(visit, login=login, next=wanted, problem=problem, status=401)
    return _signed_in(visit, user, own_path(wanted))


@router.post("/logout")
def sign_out(visit: PersonVisit) -> Response:
    identity = visit.person
    if identity.session_id:
        with visit.database.transaction() as session:
            sessions.end(session, identity.session_id)
    response = redirect("/login")
    clear_session_cookie(response)
    return response


@router.get("/login/once")
def one_time_page(visit: Public, token: str = "") -> Response:
    # Looking at the link uses nothing up: mail scanners and previews open links too.
    return render(visit, "once.html", token=token[:200], problem="")


@router.post("/login/once")
def one_time_sign_in(visit: Public, form: Form) -> Response:
    address = _address(visit)
    token = forms.text(form, "token", limit=200)
    with visit.database.transaction() as session:
        _throttle(throttle.wait_s(session, login="", address=address, now=visit.now))
        user = sessions.use_one_time_login(session, token, now=visit.now)
        if user is None:
            throttle.record_failure(session, login="", address=address, at=visit.now)
        elif not user.must_change_password:
            user.must_change_password = True
    if user is None:
        problem = visit.translate("once.wrong")
        return render(visit, "once.html", status=401, token="", problem=problem)
    return _signed_in(visit, user, "/")


@router.get("/password")
def password_page(visit: PersonVisit) -> Response:
    if not visit.person.must_change_password:
        return redirect("/account")
    return render(visit, "password.html", problems={})


@router.post("/password")
def choose_password(visit: PersonVisit, form: Form) -> Response:
    identity = visit.person
    if not identity.must_change_password:
        raise Forbidden("web.password_known", "give your present password to change it")
    new = forms.secret(form, "new")
    if new != forms.secret(form, "again"):
        problems = {"again": visit.translate("password.differ")}
        return render(visit, "password.html", status=422, problems=problems)
    try:
        with visit.database.transaction() as session:
            accounts.set_password(session, identity.user_id, new, by=identity.login, at=visit.now)
            token, _ = sessions.start(session, user_id=identity.user_id, at=visit.now)
    except Invalid as error:
        problems = {"new": explain(error, visit.language)}
        return render(visit, "password.html", status=422, problems=problems)
    response = redirect("/")
    set_session_cookie(visit.request, response, token)
    return response


def own_path(wanted: str) -> str:
    """Where to go after signing in: a path of ours, whatever the link said."""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not wanted.startswith("/"):
        return "/"
    # Browsers read "//host" and "/\\host" as another site's address.
    return "/" if wanted[1:2] in {"/", "\\"} or "\n" in wanted or "\r" in wanted else wanted


def _authenticated(visit: Visit, login: str, password: str, address: str) -> User | None:
    with visit.database.reading() as session:
        _throttle(throttle.wait_s(session, login=login, address=address, now=visit.now))
        user = accounts.authenticate(session, login, password)
    with visit.database.transaction() as session:
        if user is None:
            throttle.record_failure(session, login=login, address=address, at=visit.now)
            return None
        throttle.forgive(session, login=login, address=address)
        if passwords.outdated(user.password_hash):
            accounts.upgrade_hash(session, user.id, password)
    return user


def _throttle(wait_s: float) -> None:
    if wait_s > 0:
        raise TooManyRequests(math.ceil(wait_s))


def _signed_in(visit: Visit, user: User, target: str) -> Response:
    """Start a fresh session; the one that came with the request ends."""
    old = visit.request.cookies.get(SESSION_COOKIE)
    with visit.database.transaction() as session:
        sessions.purge(session, now=visit.now)
        if old:
            sessions.end(session, sessions.token_hash(old))
        token, _ = sessions.start(session, user_id=user.id, at=visit.now)
        audit.record(
            session, actor=user.login, action="account.sign_in", subject=user.id, at=visit.now
        )
    response = redirect(target)
    set_session_cookie(visit.request, response, token)
    if user.language:
        response.set_cookie(LANGUAGE_COOKIE, user.language, max_age=31_536_000, samesite="lax")
    return response


def _sign_in_page(
    visit: Visit,
    *,
    login: str = "",
    next: str = "",  # noqa: A002
    problem: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    return render(
        visit,
        "login.html",
        status=status,
        headers=headers,
        login=login,
        next=own_path(next) if next else "",
        problem=problem,
    )


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client else ""
