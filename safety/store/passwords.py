"""Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from safety.store.refusals import Invalid

MIN_LENGTH = 10
MAX_LENGTH = 200

HASHER = PasswordHasher()
"""Its parameters are the library's: RFC 9106's for little memory."""

UNUSABLE = "!"
"""Hash that no password matches: the person signs in by a one-time link."""


def hashed(password: str, *, login: str) -> str:
    """The hash to keep.

    Raises:
        Invalid: Too short, too long, or the login itself.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(
            "account.password_length",
            "a password needs {least} to {most} characters; a short sentence is easy to remember",
            least=MIN_LENGTH,
            most=MAX_LENGTH,
        )
    if login.casefold() in password.casefold() and len(password) < len(login) + MIN_LENGTH:
        raise Invalid(
            "account.password_login", "the password is hardly more than the login; use another"
        )
    return HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; takes as long for nobody's (None) as for somebody's."""
    usable = password_hash not in {None, UNUSABLE}
    try:
        HASHER.verify(password_hash if usable and password_hash else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return usable


def outdated(password_hash: str) -> bool:
    """Whether today's parameters are stronger than those it was made with."""
    return password_hash != UNUSABLE and HASHER.check_needs_rehash(password_hash)


@cache
def _nobodys_hash() -> str:
    return HASHER.hash("nobody has this password")
