"""Turning a visit into HTML: the Jinja environment and what every template can use."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboard import formatting
from dashboard.alarm import Alarm, read_alarm
from dashboard.visit import THEME_COOKIE, Visit
from safety import __version__
from safety.store.accounts import Role

STATIC_DIR = Path(__file__).with_name("static")
THEMES: Final = ("system", "light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationItem:
    """One entry of the navigation."""

    name: str
    href: str
    icon: str
    primary: bool = False
    """Shown in the bar at the bottom of a phone."""
    often: bool = False
    """Shown in the bar of every screen that is no phone."""
    role: Role = Role.VIEWER
    current: bool = False


NAVIGATION: Final = (
    NavigationItem(name="wall", href="/", icon="wall", primary=True),
    NavigationItem(name="alerts", href="/alerts", icon="bell", primary=True),
    NavigationItem(name="incidents", href="/incidents", icon="incident", often=True),
    NavigationItem(name="kpi", href="/kpi", icon="chart", often=True),
    NavigationItem(name="cameras", href="/cameras", icon="camera", primary=True),
    NavigationItem(name="zones", href="/zones", icon="zone"),
    NavigationItem(name="plan", href="/plan", icon="plan"),
    NavigationItem(name="rules", href="/rules", icon="rule"),
    NavigationItem(name="machines", href="/machines", icon="machine"),
    NavigationItem(name="mutes", href="/mutes", icon="lock"),
    NavigationItem(name="channels", href="/channels", icon="channel"),
    NavigationItem(name="policy", href="/policy", icon="told"),
    NavigationItem(name="health", href="/health", icon="health"),
    NavigationItem(name="audit", href="/audit", icon="audit", role=Role.MANAGER),
    NavigationItem(name="users", href="/users", icon="users", role=Role.ADMIN),
)


@cache
def environment() -> Environment:
    """Jinja with everything escaped and no undefined name let through."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static_url
    made.filters["iso"] = formatting.iso_utc
    made.filters["milliseconds"] = formatting.milliseconds
    made.filters["file_size"] = formatting.file_size
    made.filters["percent"] = formatting.percent
    return made


@cache
def static_url(path: str) -> str:
    """Address of a static file; it changes with the content, so that it may be cached."""
    file = STATIC_DIR / path
    if not file.is_file():
        return f"/static/{path}"
    return f"/static/{path}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def render(
    visit: Visit,
    template: str,
    context: Mapping[str, object] | None = None,
    /,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """A page or fragment. Reads the database; call it in a worker thread."""
    text = (
        environment()
        .get_template(template)
        .render({**_common_values(visit), **(context or {}), **values})
    )
    return HTMLResponse(text, status_code=status, headers=dict(headers or {}))


def redirect(to: str) -> Response:
    """Go to another page of ours after a form was accepted."""
    return RedirectResponse(to, status_code=303)


def _common_values(visit: Visit) -> dict[str, object]:
    now, zone, translate = visit.now, visit.zone, visit.translate

    def full_time(at: datetime | None) -> str:
        return formatting.full_time(at, zone)

    def short_time(at: datetime | None) -> str:
        return formatting.short_time(at, zone, now)

    def duration(seconds: float | None) -> str:
        return formatting.duration(seconds, translate)

    identity = visit.identity
    theme = visit.request.cookies.get(THEME_COOKIE, THEMES[0])
    return {
        "_": translate,
        "lang": visit.language,
        "theme": theme if theme in THEMES else THEMES[0],
        "site": visit.site,
        "identity": identity,
        "csrf_token": identity.csrf_token if identity else "",
        "may": lambda role: identity is not None and identity.role.includes(Role(role)),
        "navigation": _navigation(visit),
        "alarm": read_alarm(visit) if identity else Alarm(),
        "notice": _notice(visit),
        "software_version": __version__,
        "now": now,
        "full_time": full_time,
        "short_time": short_time,
        "duration": duration,
        "ago": lambda at: duration(formatting.since(at, now)),
    }


def _navigation(visit: Visit) -> list[NavigationItem]:
    if visit.identity is None:
        return []
    path = visit.request.url.path
    return [
        NavigationItem(
            name=item.name,
            href=item.href,
            icon=item.icon,
            primary=item.primary,
            often=item.often,
            current=path == item.href or (item.href != "/" and path.startswith(item.href + "/")),
        )
        for item in NAVIGATION
        if visit.identity.role.includes(item.role)
    ]


NOTICES: Final = frozenset({"saved", "deleted", "test_sent", "password_changed", "created"})
"""What ``?done=`` may say; anything else is ignored."""


def _notice(visit: Visit) -> str:
    done = visit.request.query_params.get("done", "")
    return visit.translate(f"notice.{done}") if done in NOTICES else ""
