"""Sign-in throttling: after some failures every further one costs a longer wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import Session, col, select

from safety.store.accounts import normalised_login
from safety.store.tables import LoginAttempt

WINDOW = timedelta(hours=1)
"""Failures older than this are forgiven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many failures are free, and how long the wait can become after that."""

    free: int
    longest_s: float

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after the newest of so many failures: doubling, up to the longest."""
        if failures < self.free:
            return 0.0
        return min(self.longest_s, 2.0 ** min(failures - self.free, 30))


SAME_BOTH = Limit(free=5, longest_s=900.0)
"""One login from one address: somebody guesses a password."""

SAME_ADDRESS = Limit(free=20, longest_s=900.0)
"""One address with any login: somebody guesses logins."""

SAME_LOGIN = Limit(free=20, longest_s=30.0)
"""One login from anywhere: the wait is short, or anybody could lock the manager out."""


def wait_s(session: Session, *, login: str, address: str, now: datetime) -> float:
    """Seconds until the next attempt is allowed; 0 if it is now."""
    same_login = col(LoginAttempt.login) == _kept(login)
    same_address = col(LoginAttempt.address) == address
    return max(
        _limit_wait_s(session, SAME_BOTH, [same_login, same_address], now),
        _limit_wait_s(session, SAME_ADDRESS, [same_address], now),
        _limit_wait_s(session, SAME_LOGIN, [same_login], now),
    )


def record_failure(session: Session, *, login: str, address: str, at: datetime) -> None:
    """An attempt failed; also forgets what is too old to count."""
    session.connection().execute(delete(LoginAttempt).where(col(LoginAttempt.at) < at - WINDOW))
    session.add(LoginAttempt(login=_kept(login), address=address, at=at))
    session.flush()


def forgive(session: Session, *, login: str, address: str) -> None:
    """They got in: this login's failures from this address no longer count."""
    session.connection().execute(
        delete(LoginAttempt).where(
            col(LoginAttempt.login) == _kept(login), col(LoginAttempt.address) == address
        )
    )


def _limit_wait_s(
    session: Session, limit: Limit, conditions: Sequence[ColumnElement[bool]], now: datetime
) -> float:
    query = select(func.count(), func.max(LoginAttempt.at)).where(
        *conditions, col(LoginAttempt.at) > now - WINDOW
    )
    failures, newest = session.exec(query).one()
    wait = limit.wait_s(failures)
    if not wait:
        return 0.0
    # A newest failure in the future means that the clock was set back: the wait stays bounded.
    passed = max(0.0, (now - newest).total_seconds())
    return max(0.0, wait - passed)


def _kept(login: str) -> str:
    return normalised_login(login)[:120]
