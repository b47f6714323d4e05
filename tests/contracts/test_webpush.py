"""Web push against a push service's double, whose browsers decrypt with another implementation."""

import base64
import json
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import Session

from alerts.channels.base import ChannelBusy, Notice
from alerts.channels.webpush import WebPushMessenger, WebPushSpec
from alerts.channels.webpush_crypto import KEY_FILE, encrypted, our_key, public_text
from alerts.ping import ping_channel
from safety.clock import SystemClock
from safety.errors import ChannelError, ChannelRefused, ConfigError
from safety.store import accounts, push
from safety.store.accounts import Role
from safety.store.database import Database
from safety.store.refusals import Invalid
from tests.support.messenger_service import Asked, MessengerService, Mode

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
NOTICE = Notice(
    id="n1",
    event="raised",
    alert_id="a" * 32,
    severity="danger",
    raised_at=1_767_600_000.0,
    text="<b>프레스 3</b>에 사람이 있습니다 👷\x00",
    data={"site": "안산\n공장"},
)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(kw_only=True)
class Browser:
    """A browser's half of a subscription."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def p256dh(self) -> str:
        form = Encoding.X962, PublicFormat.UncompressedPoint
        return encoded(self.key.public_key().public_bytes(*form))

    def read(self, body: bytes) -> dict[str, str]:
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        message: dict[str, str] = json.loads(plain)
        return message


@dataclass(kw_only=True)
class PushService(MessengerService):
    """Checks who posts, and hands messages to its browsers; some of them are gone."""

    public_key: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    read: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, object]:
        scheme, _, words = asked.headers["authorization"].partition(" ")
        said = dict(word.strip().split("=", 1) for word in words.split(","))
        assert (scheme, said["k"]) == ("vapid", self.public_key)
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(said["k"]))
        claims = jwt.decode(said["t"], key, algorithms=["ES256"], audience=self.url)
        assert claims["sub"] == "mailto:safety@example.com"
        assert claims["exp"] - datetime.now(UTC).timestamp() <= 24 * 3600
        headers = asked.headers
        assert (headers["content-encoding"], headers["urgency"]) == ("aes128gcm", "high")
        assert int(headers["ttl"]) > 0
        name = asked.path.rpartition("/")[2]
        if name in self.gone:
            return 410, {}
        if name in self.refuses:
            return 500, {}
        self.read.append((name, self.browsers[name].read(asked.body)))
        return 201, {}


@dataclass(kw_only=True)
class Setup:
    service: PushService
    messenger: WebPushMessenger
    database: Database
    users: list[str]

    def subscribe(self, name: str, user: int = 0, *, endpoint: str = "") -> None:
        browser = self.service.browsers.setdefault(name, Browser(name=name))
        with self.database.transaction() as session:
            push.subscribe(
                session,
                user_id=self.users[user],
                endpoint=endpoint or f"{self.service.url}/push/{name}",
                p256dh=browser.p256dh,
                auth=encoded(browser.auth),
                by="test",
                at=AT,
            )

    def endpoints(self) -> list[str]:
        with self.database.reading() as session:
            return [row.endpoint.rpartition("/")[2] for row in push.subscriptions(session)]


def made_user(session: Session, login: str) -> str:
    user = accounts.create_user(
        session,
        login=login,
        name=login,
        role=Role.VIEWER,
        password="long enough to be one",
        by="test",
        at=AT,
    )
    return user.id


@pytest.fixture
async def setup(database: Database, tmp_path: Path) -> AsyncIterator[Setup]:
    with database.transaction() as session:
        users = [made_user(session, login) for login in ("kim", "lee")]
    service = PushService(public_key=public_text(our_key(tmp_path)))
    await service.start()
    spec = WebPushSpec(
        id="push", name="Push", contact="safety@example.com", services=("127.0.0.1",)
    )
    messenger = WebPushMessenger(spec, clock=SystemClock(), data_dir=tmp_path, database=database)
    yield Setup(service=service, messenger=messenger, database=database, users=users)
    await messenger.close()
    await service.stop()


async def test_every_browser_can_read_it_and_nobody_else(setup: Setup) -> None:
    setup.subscribe("phone")
    setup.subscribe("desk", user=1)
    receipt = await setup.messenger.send(NOTICE, timeout_s=10.0)
    assert receipt.latency_s >= 0
    assert sorted(name for name, _ in setup.service.read) == ["desk", "phone"]
    assert setup.service.read[0][1] == {
        "title": "안산 공장",
        "body": "<b>프레스 3</b>에 사람이 있습니다 👷",
        "path": f"/alerts/{'a' * 32}",
        "tag": "a" * 32,
        "severity": "danger",
    }
    assert all("프레스".encode() not in asked.body for asked in setup.service.asked)


async def test_a_retry_repeats_nothing_and_a_browser_that_is_gone_is_forgotten(
    setup: Setup,
) -> None:
    for name in ("one", "two", "three"):
        setup.subscribe(name)
    setup.service.refuses, setup.service.gone = {"two"}, {"three"}
    with pytest.raises(ChannelError) as error:
        await setup.messenger.send(NOTICE, timeout_s=10.0)
    assert not isinstance(error.value, ChannelRefused)
    assert sorted(setup.endpoints()) == ["one", "two"]
    setup.service.refuses = set()
    await setup.messenger.send(NOTICE, timeout_s=10.0)
    assert sorted(name for name, _ in setup.service.read) == ["one", "two"]


async def test_failures_are_told_apart_in_time_and_leak_nothing(setup: Setup) -> None:
    setup.subscribe("secret-device")
    table: list[tuple[Mode, type[ChannelError]]]
    table = [("500", ChannelBusy), ("403", ChannelRefused), ("hang", ChannelError)]
    for mode, kind in table:
        setup.service.mode = mode
        limit_s = 0.5 if mode == "hang" else 10.0
        with pytest.raises(ChannelError) as error:
            await setup.messenger.send(replace(NOTICE, id=mode), timeout_s=limit_s)
        assert isinstance(error.value, kind), mode
        assert "secret-device" not in f"{error.value} {dict(error.value.params)}"


async def test_the_test_message_leads_to_the_channels(setup: Setup) -> None:
    with pytest.raises(ChannelRefused, match="no browser has subscribed"):
        await ping_channel(setup.messenger, clock=SystemClock(), text="시험")
    setup.subscribe("phone")
    await ping_channel(setup.messenger, clock=SystemClock(), text="시험")
    assert setup.service.read[0][1]["path"] == "/channels"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://10.0.0.1/push/x",
        "https://localhost/push/x",
        "https://mozilla.com.evil.example/push/x",
        "https://127.0.0.1.evil.example/push/x",
    ],
)
async def test_a_subscription_does_not_lead_into_our_own_network(
    setup: Setup, endpoint: str
) -> None:
    setup.subscribe("elsewhere", endpoint=endpoint)
    with pytest.raises(ChannelRefused, match="no browser has subscribed"):
        await setup.messenger.send(NOTICE, timeout_s=10.0)


async def test_who_may_no_longer_sign_in_is_told_nothing(setup: Setup) -> None:
    setup.subscribe("phone")
    setup.subscribe("desk", user=1)
    with setup.database.transaction() as session:
        accounts.set_disabled(session, setup.users[0], True, by="test", at=AT)
    assert setup.endpoints() == ["desk"]


def test_a_browser_belongs_to_whoever_subscribed_last_and_ten_are_enough(
    database: Database,
) -> None:
    browser = Browser(name="x")

    def subscribe(session: Session, user_id: str, endpoint: str) -> None:
        push.subscribe(
            session,
            user_id=user_id,
            endpoint=endpoint,
            p256dh=browser.p256dh,
            auth=encoded(browser.auth),
            by="t",
            at=AT,
        )

    with database.transaction() as session:
        kim, lee = (made_user(session, login) for login in ("kim", "lee"))
        for number in range(push.MOST + 3):
            subscribe(session, kim, f"https://push.example/{number % (push.MOST + 2)}")
        first, second = [row.endpoint for row in push.subscriptions(session)][:2]
        assert len(push.subscriptions(session)) == push.MOST
        subscribe(session, lee, first)
        assert not push.unsubscribe(session, user_id=kim, endpoint=first, by="t", at=AT)
        assert push.unsubscribe(session, user_id=kim, endpoint=second, by="t", at=AT)
        assert len(push.subscriptions(session)) == push.MOST - 1


@pytest.mark.parametrize(
    ("endpoint", "p256dh", "auth"),
    [
        ("ftp://push.example/1", "A" * 87, "A" * 22),
        ("https://", "A" * 87, "A" * 22),
        ("https://push.example/" + "x" * 1000, "A" * 87, "A" * 22),
        ("https://push.example/1", "A" * 20, "A" * 22),
        ("https://push.example/1", "A" * 87, "not base64!"),
    ],
)
def test_what_is_no_subscription_is_refused(
    database: Database, endpoint: str, p256dh: str, auth: str
) -> None:
    with database.transaction() as session, pytest.raises(Invalid):
        push.subscribe(
            session, user_id="u", endpoint=endpoint, p256dh=p256dh, auth=auth, by="t", at=AT
        )


def test_the_key_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    first = public_text(our_key(tmp_path))
    assert public_text(our_key(tmp_path)) == first
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    (tmp_path / KEY_FILE).write_text("not a key")
    with pytest.raises(ConfigError, match="cannot be used"):
        our_key(tmp_path)


def test_two_messages_are_never_encrypted_alike() -> None:
    browser = Browser(name="x")
    same = {"p256dh": browser.p256dh, "auth": encoded(browser.auth)}
    assert encrypted(b"{}", **same) != encrypted(b"{}", **same)
