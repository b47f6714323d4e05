"""One-time links: the first sign-in of a new installation, and forgotten passwords.

There is never a default password. Whoever opens the link signs in once and has to choose
a password.
"""

from datetime import UTC, datetime

from safety.clock import Clock
from safety.store import accounts, audit, sessions
from safety.store.accounts import Role
from safety.store.database import Database
from safety.store.refusals import NotFound

FIRST_LOGIN = "admin"


def create_one_time_login(database: Database, clock: Clock, *, login: str = FIRST_LOGIN) -> str:
    """A link that signs ``login`` in once, within 15 minutes; earlier links stop working.

    The account ``admin`` is made if nobody has it; it can be used by such a link alone until
    a password was chosen.

    Returns:
        Path and query, to be put behind the dashboard's address. Holds a secret: show it to
        the person in front of the machine, never log it.

    Raises:
        StoreUnavailable: The database cannot be written.
        NotFound: There is no such login.
    """
    now = datetime.fromtimestamp(clock.now().wall, UTC)
    with database.transaction() as session:
        user = accounts.by_login(session, login)
        if user is None and login == FIRST_LOGIN:
            user = accounts.create_user(
                session,
                login=login,
                name="Admin",
                role=Role.ADMIN,
                password=None,
                by="anjeon",
                at=now,
            )
        if user is None:
            raise NotFound("user", login)
        token = sessions.create_one_time_login(session, user_id=user.id, at=now)
        audit.record(session, actor="anjeon", action="account.link", subject=user.id, at=now)
    return f"/login/once?token={token}"
