"""Who is asking: from a cookie or an API token to an identity, and the cookie itself."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session as StoreSession
from starlette.requests import Request
from starlette.responses import Response

from dashboard.visit import Identity, Scope, Services, SiteView
from safety.store import sessions, tokens
from safety.store.accounts import Role
from safety.store.tables import Site

SESSION_COOKIE = "anjeon_session"
_TOUCH_EVERY = timedelta(minutes=1)


def recognise(services: Services, request: Request) -> tuple[Identity | None, SiteView]:
    """Who sends this request, if anybody known, and the site. Blocking.

    An ``Authorization`` header counts alone: a program that sends a wrong token is nobody,
    whatever cookie comes with it.

    Raises:
        StoreUnavailable: The database cannot be read.
    """
    now = datetime.fromtimestamp(services.clock.now().wall, UTC)
    stale: str | None = None
    with services.database.reading() as session:
        site = read_site(session)
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return _program(session, authorization, now), site
        token = request.cookies.get(SESSION_COOKIE)
        found = sessions.find(session, token, now=now) if token else None
        if found is None:
            return None, site
        if now - found.session.last_seen_at >= _TOUCH_EVERY:
            stale = found.session.id
        identity = Identity(
            user_id=found.user.id,
            login=found.user.login,
            name=found.user.name,
            role=Role(found.user.role),
            language=found.user.language,
            must_change_password=found.user.must_change_password,
            session_id=found.session.id,
            csrf_token=found.session.csrf_token,
        )
    if stale is not None:
        with services.database.transaction() as session:
            sessions.touch(session, stale, now=now)
    return identity, site


def _program(session: StoreSession, authorization: str, now: datetime) -> Identity | None:
    scheme, _, token = authorization.partition(" ")
    bearer = tokens.find(session, token.strip(), now=now) if scheme.lower() == "bearer" else None
    if bearer is None:
        return None
    return Identity(
        user_id=bearer.user.id,
        login=bearer.user.login,
        name=bearer.user.name,
        role=Role(bearer.user.role),
        language=bearer.user.language,
        scopes=frozenset(Scope(scope) for scope in bearer.scopes),
    )


def read_site(session: StoreSession) -> SiteView:
    """The site's name, time zone and language; the defaults before there is one."""
    row = session.get(Site, 1)
    if row is None:
        return SiteView()
    return SiteView(name=row.name, timezone=row.timezone, language=row.language)


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    """Sign this browser in; scripts cannot read the cookie, other sites cannot send it."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(sessions.LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response) -> None:
    """Make the browser forget its session."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
