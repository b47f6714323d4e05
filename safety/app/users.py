"""``anjeon user``: who may sign in."""

import typer

from dashboard.onetime import FIRST_LOGIN, create_one_time_login
from safety.clock import SystemClock
from safety.config import Settings
from safety.errors import ConfigError
from safety.store import accounts
from safety.store.accounts import Role
from safety.store.database import Database
from safety.store.refusals import NotFound
from safety.store.times import utc

ACTOR = "command line"


def _database(settings: Settings) -> Database:
    database = Database(settings.database)
    database.migrate()
    return database


def print_one_time_login(settings: Settings, login: str = FIRST_LOGIN) -> None:
    """Print a link that signs in once; never logged."""
    path = create_one_time_login(_database(settings), SystemClock(), login=login)
    typer.echo(f"http://{settings.host}:{settings.port}{path}")
    typer.echo("It works once, within 15 minutes; earlier links no longer work.", err=True)


def add_user(settings: Settings, *, login: str, name: str, role: str, password: str) -> None:
    """Add somebody.

    Raises:
        AnjeonError: The login is taken or the password too weak.
    """
    with _database(settings).transaction() as session:
        user = accounts.create_user(
            session,
            login=login,
            name=name,
            role=Role(role),
            password=password,
            by=ACTOR,
            at=utc(SystemClock().now()),
        )
    typer.echo(f"added {user.login} ({user.role})")


def find_user(settings: Settings, login: str) -> None:
    """Make sure that there is such a login, before anything is asked of the person.

    Raises:
        ConfigError: There is none.
    """
    with _database(settings).reading() as session:
        if accounts.by_login(session, login) is None:
            raise ConfigError(
                "user.unknown",
                "nobody has the login '{login}'; add it with: anjeon user add {login}",
                login=login,
            )


def set_password(settings: Settings, *, login: str, password: str) -> None:
    """Set somebody's password and end their sessions.

    Raises:
        NotFound: There is no such login.
        AnjeonError: The password is too weak.
    """
    with _database(settings).transaction() as session:
        user = accounts.by_login(session, login)
        if user is None:
            raise NotFound("user", login)
        accounts.set_password(session, user.id, password, by=ACTOR, at=utc(SystemClock().now()))
    typer.echo(f"password of {login} set; all their sessions have ended")
