"""Language and brightness of this browser, and what does not fit into a phone's navigation."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms
from dashboard.access import PersonVisit, Public
from dashboard.errors import Unprocessable
from dashboard.forms import Form
from dashboard.pages import THEMES, redirect, render
from dashboard.routes.login import own_path
from dashboard.visit import LANGUAGE_COOKIE, THEME_COOKIE, Visit
from safety.i18n import known_language
from safety.store import accounts

router = APIRouter(include_in_schema=False)

_YEAR_S = 31_536_000


@router.post("/language")
def choose_language(visit: Public, form: Form) -> Response:
    language = known_language(forms.text(form, "language"))
    if language is None:
        raise Unprocessable("web.language", "choose ko or en")
    if visit.identity is not None and visit.identity.session_id is not None:
        with visit.database.transaction() as session:
            accounts.set_profile(
                session,
                visit.identity.user_id,
                name=visit.identity.name,
                language=language,
                by=visit.actor,
                at=visit.now,
            )
    response = _back(visit)
    _remember(visit, response, LANGUAGE_COOKIE, language)
    return response


@router.post("/theme")
def choose_theme(visit: Public, form: Form) -> Response:
    theme = forms.text(form, "theme")
    if theme not in THEMES:
        raise Unprocessable("web.theme", "choose system, light or dark")
    response = _back(visit)
    _remember(visit, response, THEME_COOKIE, theme)
    return response


@router.get("/more")
def more(visit: PersonVisit) -> Response:
    return render(visit, "more.html")


def _back(visit: Visit) -> Response:
    """To the page that the button was on."""
    parts = urlsplit(visit.request.headers.get("referer", ""))
    path = own_path(parts.path)
    return redirect(f"{path}?{parts.query}" if parts.query else path)


def _remember(visit: Visit, response: Response, name: str, value: str) -> None:
    secure = visit.request.url.scheme == "https"
    response.set_cookie(
        name, value, max_age=_YEAR_S, path="/", secure=secure, httponly=True, samesite="lax"
    )
