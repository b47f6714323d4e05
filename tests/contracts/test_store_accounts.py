"""People, their browsers, one-time links, tokens and throttling."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlmodel import Session

from safety.errors import AnjeonError
from safety.store import accounts, audit, passwords, sessions, throttle, tokens
from safety.store.accounts import Role
from safety.store.database import Database
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.store.tables import User
from tests.support.database import NOON, after

PASSWORD = "press line two is loud"


def _add(session: Session, login: str = "kim", password: str | None = None) -> User:
    """Somebody; a real password only where a test needs one, since hashing takes long."""
    return accounts.create_user(
        session,
        login=login,
        name=login.title(),
        role=Role.ADMIN,
        password=password,
        by="cli",
        at=NOON,
    )


@pytest.mark.parametrize(
    ("login", "password", "accepted"),
    [
        ("kim", PASSWORD, True),
        (" KIM ", PASSWORD, True),
        ("kim", PASSWORD.upper(), False),
        ("kim", "", False),
        ("lee", PASSWORD, False),
        ("' OR 1=1 --", PASSWORD, False),
    ],
)
def test_only_the_right_password_lets_in(
    database: Database, login: str, password: str, accepted: bool
) -> None:
    with database.transaction() as session:
        _add(session, password=PASSWORD)
    with database.reading() as session:
        user = accounts.authenticate(session, login, password)
    assert (user is not None) is accepted


def test_disabled_people_and_people_without_password_stay_out(database: Database) -> None:
    with database.transaction() as session:
        _add(session)
        lee = _add(session, "lee", PASSWORD)
        accounts.set_disabled(session, lee.id, True, by="kim", at=NOON)
        accounts.create_user(
            session, login="park", name="Park", role=Role.VIEWER, password=None, by="kim", at=NOON
        )
    with database.reading() as session:
        assert accounts.authenticate(session, "lee", PASSWORD) is None
        assert accounts.authenticate(session, "park", passwords.UNUSABLE) is None


@pytest.mark.parametrize(
    ("login", "name", "password"),
    [
        ("", "Kim", PASSWORD),
        ("k im", "Kim", PASSWORD),
        ("-kim", "Kim", PASSWORD),
        ("k" * 64, "Kim", PASSWORD),
        ("kim", " ", PASSWORD),
        ("kim", "K" * 121, PASSWORD),
        ("kim", "Kim", "xyz123"),
        ("kim", "Kim", "x" * 201),
        ("kim.safety", "Kim", "Kim.Safety1"),
    ],
)
def test_unusable_accounts_are_refused(
    database: Database, login: str, name: str, password: str
) -> None:
    with pytest.raises(Invalid) as caught, database.transaction() as session:
        accounts.create_user(
            session, login=login, name=name, role=Role.VIEWER, password=password, by="x", at=NOON
        )
    assert password not in str(caught.value)


def test_a_login_belongs_to_one_person(database: Database) -> None:
    with database.transaction() as session:
        _add(session)
    with pytest.raises(Conflict), database.transaction() as session:
        _add(session, "KIM")


def test_hashes_made_with_weaker_parameters_are_renewed(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session, password=PASSWORD)
        assert not passwords.outdated(user.password_hash)
        user.password_hash = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
        session.flush()
        assert passwords.outdated(user.password_hash)
        accounts.upgrade_hash(session, user.id, PASSWORD)
        assert not passwords.outdated(user.password_hash)
        assert accounts.authenticate(session, "kim", PASSWORD) is not None


Removal = Callable[[Session, str], object]


@pytest.mark.parametrize(
    "removal",
    [
        lambda s, i: accounts.set_role(s, i, Role.MANAGER, by="kim", at=NOON),
        lambda s, i: accounts.set_disabled(s, i, True, by="kim", at=NOON),
    ],
    ids=["demoted", "disabled"],
)
def test_one_admin_always_remains(database: Database, removal: Removal) -> None:
    with database.transaction() as session:
        kim, lee = _add(session), _add(session, "lee")
        removal(session, kim.id)
        with pytest.raises(Conflict, match="lee is the last admin"):
            removal(session, lee.id)
        accounts.set_role(session, lee.id, Role.ADMIN, by="lee", at=NOON)
        accounts.set_disabled(session, kim.id, False, by="lee", at=NOON)
        accounts.set_role(session, kim.id, Role.ADMIN, by="lee", at=NOON)
        removal(session, lee.id)


def test_roles_are_ordered() -> None:
    roles = list(Role)
    assert [a.includes(b) for a in roles for b in roles] == [
        roles.index(a) >= roles.index(b) for a in roles for b in roles
    ]


def test_changes_to_people_are_audited_without_passwords(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session, password=PASSWORD)
        accounts.set_profile(session, user.id, name="김", language="ko", by="kim", at=NOON)
        accounts.set_password(session, user.id, "another good one", by="kim", at=NOON)
        accounts.set_role(session, user.id, Role.ADMIN, by="kim", at=NOON)
        entries = audit.list_entries(session, subject=user.id)
        assert [user.login for user in accounts.list_users(session)] == ["kim"]
    assert [entry.action for entry in entries] == [
        "account.role",
        "account.password",
        "account.profile",
        "account.create",
    ]
    assert PASSWORD not in str(entries)
    assert "another good one" not in str(entries)
    assert "argon2" not in repr(user)


def test_a_browser_is_signed_in_until_it_is_not(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session)
        token, row = sessions.start(session, user_id=user.id, at=NOON)
        assert token not in repr(row)
        assert sessions.find(session, token + "x", now=NOON) is None

        def signed_in(at: timedelta) -> bool:
            return sessions.find(session, token, now=NOON + at) is not None

        assert signed_in(sessions.IDLE - timedelta(seconds=1))
        assert not signed_in(sessions.IDLE)
        sessions.touch(session, row.id, now=NOON + timedelta(hours=6))
        assert signed_in(sessions.IDLE)
        sessions.touch(session, row.id, now=NOON + sessions.LIFETIME)
        assert not signed_in(sessions.LIFETIME)
        sessions.end(session, row.id)
        assert not signed_in(timedelta())


def test_a_new_password_signs_out_all_other_browsers(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session)
        here, row = sessions.start(session, user_id=user.id, at=NOON)
        there, _ = sessions.start(session, user_id=user.id, at=NOON)
        accounts.set_password(
            session, user.id, "another good one", by="kim", at=NOON, keep_session=row.id
        )
        assert sessions.find(session, here, now=NOON) is not None
        assert sessions.find(session, there, now=NOON) is None


def test_disabling_somebody_ends_everything_at_once(database: Database) -> None:
    with database.transaction() as session:
        _add(session)
        lee = _add(session, "lee")
        browser, _ = sessions.start(session, user_id=lee.id, at=NOON)
        program, _ = tokens.create(session, user=lee, name="mes", scopes=["read"], at=NOON)
        link = sessions.create_one_time_login(session, user_id=lee.id, at=NOON)
        accounts.set_disabled(session, lee.id, True, by="kim", at=NOON)
        assert sessions.find(session, browser, now=NOON) is None
        assert tokens.find(session, program, now=NOON) is None
        assert sessions.use_one_time_login(session, link, now=NOON) is None


def test_a_one_time_link_works_once_and_not_for_long(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session)
        old = sessions.create_one_time_login(session, user_id=user.id, at=NOON)
        link = sessions.create_one_time_login(session, user_id=user.id, at=NOON)
        assert sessions.use_one_time_login(session, old, now=NOON) is None
        assert sessions.use_one_time_login(session, link, now=NOON + sessions.ONE_TIME) is None
        assert sessions.use_one_time_login(session, link, now=after(1)) == user
        assert sessions.use_one_time_login(session, link, now=after(2)) is None


def test_what_has_expired_is_forgotten(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session)
        token, _ = sessions.start(session, user_id=user.id, at=NOON)
        sessions.create_one_time_login(session, user_id=user.id, at=NOON)
        sessions.purge(session, now=NOON + sessions.LIFETIME)
        assert sessions.find(session, token, now=NOON) is None


def test_a_token_works_until_it_expires_or_is_revoked(database: Database) -> None:
    with database.transaction() as session:
        user = _add(session)
        token, row = tokens.create(
            session,
            user=user,
            name="mes",
            scopes=["configure", "read"],
            at=NOON,
            expires_at=after(60),
        )
        assert token not in repr(row)
        assert tokens.find(session, "anjeon_other", now=NOON) is None
        assert tokens.find(session, token, now=after(60)) is None
        bearer = tokens.find(session, token, now=after(59))
        assert bearer is not None
        assert bearer.scopes == {"read", "configure"}
        assert bearer.user == user
        assert tokens.list_tokens(session, user_id=user.id) == [row]
        tokens.revoke(session, row.id, by="kim", at=NOON)
        tokens.revoke(session, row.id, by="kim", at=NOON)
        assert tokens.find(session, token, now=NOON) is None
        assert tokens.list_tokens(session) == []
        assert len(audit.list_entries(session, subject=row.id)) == 2


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["read"]), ("x" * 121, ["read"]), ("mes", []), ("mes", ["root"])]
)
def test_unusable_tokens_are_refused(database: Database, name: str, scopes: list[str]) -> None:
    with database.transaction() as session:
        user = _add(session)
        with pytest.raises(Invalid):
            tokens.create(session, user=user, name=name, scopes=scopes, at=NOON)


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(0, 0), (4, 0), (5, 1), (6, 2), (10, 32), (15, 900), (60, 900)]
)
def test_guessing_a_password_costs_longer_and_longer_waits(
    database: Database, failures: int, wait_s: float
) -> None:
    with database.transaction() as session:
        for _ in range(failures):
            throttle.record_failure(session, login="kim", address="10.0.0.9", at=NOON)
        now_s = throttle.wait_s(session, login="KIM", address="10.0.0.9", now=NOON)
        later_s = throttle.wait_s(session, login="kim", address="10.0.0.9", now=after(wait_s))
        set_back = NOON - timedelta(minutes=30)
        bounded = throttle.wait_s(session, login="kim", address="10.0.0.9", now=set_back)
        assert (now_s, later_s, bounded) == (wait_s, 0, wait_s)
        next_day = NOON + throttle.WINDOW
        assert throttle.wait_s(session, login="kim", address="10.0.0.9", now=next_day) == 0


def test_nobody_can_be_locked_out_from_elsewhere_for_long(database: Database) -> None:
    with database.transaction() as session:
        for number in range(200):
            throttle.record_failure(session, login="kim", address=f"10.0.0.{number}", at=NOON)
        assert throttle.wait_s(session, login="kim", address="192.168.0.2", now=NOON) == 30
        assert throttle.wait_s(session, login="lee", address="192.168.0.2", now=NOON) == 0


def test_guessing_logins_from_one_address_is_throttled_too(database: Database) -> None:
    with database.transaction() as session:
        for number in range(25):
            throttle.record_failure(session, login=f"user{number}", address="10.0.0.9", at=NOON)
        assert throttle.wait_s(session, login="kim", address="10.0.0.9", now=NOON) == 32


def test_getting_in_forgives(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(9):
            throttle.record_failure(session, login="kim", address="10.0.0.9", at=NOON)
        throttle.forgive(session, login="kim", address="10.0.0.9")
        assert throttle.wait_s(session, login="kim", address="10.0.0.9", now=NOON) == 0


@pytest.mark.parametrize(
    "use",
    [
        lambda s: accounts.get(s, "unknown"),
        lambda s: accounts.set_role(s, "unknown", Role.VIEWER, by="x", at=NOON),
        lambda s: tokens.revoke(s, "unknown", by="x", at=NOON),
    ],
)
def test_unknown_people_and_tokens_are_not_found(
    database: Database, use: Callable[[Session], object]
) -> None:
    with pytest.raises(NotFound) as caught, database.transaction() as session:
        use(session)
    assert isinstance(caught.value, AnjeonError)
