"""One request, seen as somebody's visit: who, in which language, at which site."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypedDict
from zoneinfo import ZoneInfo

from starlette.requests import Request

from dashboard.hub import Hub
from dashboard.programme import ProgrammeDesk
from dashboard.report_desk import ReportDesk
from safety.clock import Clock
from safety.config import Settings
from safety.i18n import LANGUAGES, Language, Translate, known_language, translator
from safety.store.accounts import Role
from safety.store.database import Database


class Scope(StrEnum):
    """What an API token may do; a token has any set of them."""

    READ = "read"
    ACKNOWLEDGE = "acknowledge"
    CONFIGURE = "configure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes work with; made once by ``create_app``."""

    settings: Settings
    database: Database
    hub: Hub
    clock: Clock
    reports: ReportDesk = field(default_factory=ReportDesk)
    programmes: ProgrammeDesk = field(default_factory=ProgrammeDesk)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """What every page says about the site."""

    name: str = "Anjeon"
    timezone: str = "Asia/Seoul"
    language: str = "ko"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who is asking.

    Attributes:
        user_id, login, name: The person, or the person who made the token.
        scopes: Of the token; None for a signed-in browser.
        session_id: Of a signed-in browser; None for a token.
        csrf_token: What every unsafe request of this browser must carry.
    """

    user_id: str
    login: str
    name: str
    role: Role
    language: str | None = None
    must_change_password: bool = False
    scopes: frozenset[Scope] | None = None
    session_id: str | None = None
    csrf_token: str = ""


class Signed(TypedDict):
    """Whose deed something is, and when: what every change of the record is told."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request with everything a route needs to answer it."""

    request: Request
    services: Services
    site: SiteView
    identity: Identity | None

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def hub(self) -> Hub:
        return self.services.hub

    @property
    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.fromtimestamp(self.services.clock.now().wall, UTC)

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def person(self) -> Identity:
        """Whoever asks, on routes that let nobody else in."""
        assert self.identity is not None
        return self.identity

    @property
    def actor(self) -> str:
        """Who goes into the audit log; a token acts in its maker's name."""
        if self.identity is None:
            return "anonymous"
        return self.identity.login if self.identity.scopes is None else f"{self.identity.login}/api"

    @property
    def signed(self) -> Signed:
        """This visit's signature under a change."""
        return Signed(by=self.actor, at=self.now)

    @property
    def language(self) -> Language:
        """Language of the answer: the person's, else this browser's, else the site's."""
        person = known_language(self.identity.language) if self.identity else None
        return person or requested_language(self.request, self.site)

    @property
    def translate(self) -> Translate:
        return translator(self.language)


LANGUAGE_COOKIE = "anjeon_language"
THEME_COOKIE = "anjeon_theme"


def requested_language(request: Request, site: SiteView) -> Language:
    """The language chosen in this browser, else the site's."""
    chosen = known_language(request.cookies.get(LANGUAGE_COOKIE))
    return chosen or known_language(site.language) or LANGUAGES[0]


def services_of(request: Request) -> Services:
    """The services that ``create_app`` put into the application."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services
