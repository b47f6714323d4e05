"""What every messenger for people must do, against doubles that check keys and signatures."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from alerts.channels.alimtalk_sens import signature
from alerts.channels.alimtalk_solapi import authorization
from alerts.channels.base import ChannelBusy, Messenger, Notice, Recipient
from alerts.channels.text import sms_bytes, utf16_length
from alerts.open import AnyChannelSpec, carries_notices, is_messenger, open_channel
from alerts.ping import ping_channel
from alerts.specs import ChannelSpec
from safety.clock import ManualClock, SystemClock
from safety.errors import ChannelError, ChannelRefused, ConfigError
from tests.support.messenger_service import Asked, MessengerService, Mode
from tests.support.messenger_services import (
    KEY,
    SECRET,
    SECRETS,
    KakaoWorkService,
    NaverWorksService,
    NhnService,
    NtfyService,
    SensService,
    SolapiService,
    private_key_pem,
)

SPEC: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)

LINK = "https://anjeon.example.com/alerts/a1"
TEXT = "[안산] 2026-01-05 17:00:00: 프레스 3에 사람이 있습니다."

MAILS = ["kim@example.com", "lee@example.com"]
PHONES = ["010-1234-5678", "+82 10 8765 4321"]
DIGITS = ["01012345678", "01087654321"]

NOTICE = Notice(
    id="n1",
    event="raised",
    alert_id="a1",
    severity="danger",
    raised_at=1_767_600_000.0,
    text=TEXT,
    data={"site": "안산", "zone": "프레스 3", "link": LINK},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of messenger.

    Attributes:
        service: Makes the double.
        spec: The channel, given the double's address.
        everybody: Whom it tells by itself.
        named: Whom it tells if the notice names Park.
        nobody: A change of the specification that adds somebody whom the service does not know.
        limit: Longest message.
    """

    service: Callable[[], MessengerService]
    spec: Callable[[str], dict[str, Any]]
    everybody: tuple[str, ...]
    named: tuple[str, ...]
    nobody: Mapping[str, object] | None = None
    limit: int = 1000


def alimtalk(kind: str, **more: object) -> Callable[[str], dict[str, Any]]:
    return lambda url: {
        "kind": kind,
        "api_url": url,
        "template_code": "anjeon1",
        "phones": PHONES,
        "sms_from": "02-123-4567",
        **more,
    }


UNKNOWN_PHONE = {"phones": [*PHONES, "010-0000-0000"]}
PARK = Recipient(name="Park", phone="+821055556666", email="park@example.com")

KINDS: dict[str, Kind] = {
    "kakaowork": Kind(
        service=KakaoWorkService,
        spec=lambda url: {
            "kind": "kakaowork",
            "api_url": url,
            "app_key": "env:TEST_KEY",
            "emails": MAILS,
        },
        everybody=tuple(MAILS),
        named=("park@example.com",),
        nobody={"emails": [*MAILS, "nobody@example.com"]},
        limit=500,
    ),
    "naverworks": Kind(
        service=NaverWorksService,
        spec=lambda url: {
            "kind": "naverworks",
            "api_url": url,
            "auth_url": url,
            "bot_id": "77",
            "client_id": "client-1",
            "client_secret": "env:TEST_SECRET",
            "service_account": "abc.serviceaccount@example.com",
            "private_key": "env:TEST_PEM",
            "users": MAILS,
        },
        everybody=tuple(MAILS),
        named=("park@example.com",),
        limit=2000,
    ),
    "alimtalk_nhn": Kind(
        service=NhnService,
        spec=alimtalk(
            "alimtalk_nhn",
            app_key="env:TEST_KEY",
            secret_key="env:TEST_SECRET",
            sender_key="s" * 40,
        ),
        everybody=tuple(DIGITS),
        named=("01055556666",),
        nobody=UNKNOWN_PHONE,
    ),
    "alimtalk_sens": Kind(
        service=SensService,
        spec=alimtalk(
            "alimtalk_sens",
            service_id="ncp:kkobizmsg:kr:1:anjeon",
            access_key="env:TEST_KEY",
            secret_key="env:TEST_SECRET",
            channel="@anjeon",
        ),
        everybody=tuple(DIGITS),
        named=("01055556666",),
        nobody=UNKNOWN_PHONE,
    ),
    "alimtalk_solapi": Kind(
        service=SolapiService,
        spec=alimtalk(
            "alimtalk_solapi", api_key="env:TEST_KEY", api_secret="env:TEST_SECRET", channel="PF1"
        ),
        everybody=tuple(DIGITS),
        named=("01055556666",),
        nobody=UNKNOWN_PHONE,
    ),
    "apprise": Kind(
        service=NtfyService,
        spec=lambda url: {
            "kind": "apprise",
            "urls": [
                f"{url.replace('http', 'ntfy')}/{topic}?auth=token&token={{env:TEST_KEY}}"
                for topic in ("press", "gate")
            ],
        },
        everybody=("press", "gate"),
        named=("press", "gate"),
        limit=7800,
    ),
}


@dataclass(kw_only=True)
class Setup:
    """A messenger and the service that it talks to."""

    kind: Kind
    service: MessengerService
    spec: AnyChannelSpec
    messenger: Messenger


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setenv("TEST_SECRET", SECRET)
    monkeypatch.setenv("TEST_PEM", private_key_pem())


def opened(kind: Kind, url: str, **changes: object) -> tuple[AnyChannelSpec, Messenger]:
    spec = SPEC.validate_python({"id": "m", "name": "M", **kind.spec(url), **changes})
    channel = open_channel(spec, clock=SystemClock())
    assert is_messenger(channel)
    return spec, channel


@pytest.fixture(params=list(KINDS))
async def setup(request: pytest.FixtureRequest) -> AsyncIterator[Setup]:
    kind = KINDS[request.param]
    service = kind.service()
    await service.start()
    spec, messenger = opened(kind, service.url)
    yield Setup(kind=kind, service=service, spec=spec, messenger=messenger)
    await messenger.close()
    await messenger.close()
    await service.stop()


async def test_everybody_gets_the_sentence_and_the_link(setup: Setup) -> None:
    before = SystemClock().now().monotonic
    receipt = await setup.messenger.send(NOTICE, timeout_s=30.0)
    assert sorted(m.to for m in setup.service.messages) == sorted(setup.kind.everybody)
    for message in setup.service.messages:
        assert TEXT in message.text
        assert LINK in message.text
    assert 0 <= receipt.latency_s <= SystemClock().now().monotonic - before
    assert carries_notices(setup.spec)


async def test_a_notice_says_whom_to_tell(setup: Setup) -> None:
    await setup.messenger.send(replace(NOTICE, recipients=(PARK,)), timeout_s=30.0)
    assert sorted(m.to for m in setup.service.messages) == sorted(setup.kind.named)


async def test_persons_without_the_address_it_needs_are_an_error(setup: Setup) -> None:
    unknown = replace(NOTICE, recipients=(Recipient(name="Choi"),))
    if setup.kind is KINDS["apprise"]:
        await setup.messenger.send(unknown, timeout_s=30.0)
        return
    with pytest.raises(ChannelRefused, match="nobody to tell"):
        await setup.messenger.send(unknown, timeout_s=30.0)


async def test_one_who_cannot_be_told_keeps_it_from_nobody_and_a_retry_repeats_nothing(
    setup: Setup,
) -> None:
    first, second = setup.kind.everybody
    setup.service.refuses = {first}
    with pytest.raises(ChannelError) as error:
        await setup.messenger.send(NOTICE, timeout_s=30.0)
    assert not isinstance(error.value, ChannelRefused)
    at_once = setup.kind is KINDS["alimtalk_nhn"]  # one request for all of them
    assert [message.to for message in setup.service.messages] == ([] if at_once else [second])
    setup.service.refuses = set()
    await setup.messenger.send(NOTICE, timeout_s=30.0)
    assert sorted(message.to for message in setup.service.messages) == sorted([first, second])


async def test_somebody_unknown_is_told_of_and_the_others_have_it(setup: Setup) -> None:
    if setup.kind.nobody is None:
        pytest.skip("the service has no refusals for one person")
    _, messenger = opened(setup.kind, setup.service.url, **setup.kind.nobody)
    with pytest.raises(ChannelRefused, match="2 were told, 1 were refused"):
        await messenger.send(NOTICE, timeout_s=30.0)
    await messenger.close()
    assert set(setup.kind.everybody) <= {message.to for message in setup.service.messages}


FAILURES: list[tuple[Mode, type[ChannelError]]] = [
    ("500", ChannelError),
    ("503-later", ChannelError),
    ("429-later", ChannelBusy),
    ("401", ChannelRefused),
    ("403", ChannelRefused),
    ("410", ChannelRefused),
    ("302", ChannelError),
    ("hang", ChannelError),
    ("slow-loris", ChannelError),
    ("close", ChannelError),
]


async def test_failures_are_told_apart_in_time_and_leak_nothing(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for number, (mode, kind) in enumerate(FAILURES):
        setup.service.mode = mode
        limit_s = 0.4 if mode in {"hang", "slow-loris"} else 30.0
        with pytest.raises(ChannelError) as caught:
            async with asyncio.timeout(limit_s + 3.0):
                await setup.messenger.send(replace(NOTICE, id=f"n{number}"), timeout_s=limit_s)
        assert isinstance(caught.value, kind), mode
        assert isinstance(caught.value, ChannelRefused) is (kind is ChannelRefused), mode
        shown = f"{caught.value} {dict(caught.value.params)} {setup.messenger!r} {setup.spec!r}"
        assert not [secret for secret in SECRETS if secret in shown + caplog.text], mode
    assert setup.service.messages == []
    setup.service.mode = "ok"
    await setup.messenger.send(replace(NOTICE, id="at-last"), timeout_s=30.0)
    assert sorted(m.to for m in setup.service.messages) == sorted(setup.kind.everybody)


async def test_waits_as_long_as_it_is_asked_to(setup: Setup) -> None:
    setup.service.mode = "429-later"
    with pytest.raises(ChannelBusy) as caught:
        await setup.messenger.send(NOTICE, timeout_s=30.0)
    asked_s = None if setup.kind is KINDS["apprise"] else 7.0
    assert caught.value.retry_after_s == asked_s


async def test_wrong_keys_are_refused_for_good_and_not_shown(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TEST_KEY", "TEST_SECRET"):
        monkeypatch.setenv(name, f"wrong-{name.lower()}")
    _, messenger = opened(setup.kind, setup.service.url)
    with pytest.raises(ChannelRefused, match="does not accept the keys") as caught:
        await messenger.send(NOTICE, timeout_s=30.0)
    await messenger.close()
    assert "wrong-" not in f"{caught.value} {dict(caught.value.params)}"
    assert setup.service.messages == []


async def test_a_missing_key_is_named_not_shown(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_KEY")
    monkeypatch.delenv("TEST_SECRET")
    with pytest.raises(ConfigError, match="env:TEST_"):
        opened(setup.kind, setup.service.url)


async def test_the_test_message_arrives(setup: Setup) -> None:
    await ping_channel(setup.messenger, clock=SystemClock(), text="시험 👷")
    assert {message.to for message in setup.service.messages} == set(setup.kind.everybody)
    assert all("시험 👷" in message.text for message in setup.service.messages)


@pytest.mark.parametrize(
    "text",
    [
        "사람이 있습니다 " * 400,
        "👨‍👩‍👧‍👦" * 900,
        "<script>alert('프레스')</script> & <!channel> @everyone *bold* {x} #{현장}",
        "press\x00\x1b[31m\u202egnp\r\nBcc: everybody@example.com",
    ],
    ids=["long", "emoji", "markup", "control"],
)
async def test_odd_text_arrives_clean_within_the_limit_and_with_its_link(
    setup: Setup, text: str
) -> None:
    data = {"site": text, "zone": text, "link": LINK}
    await setup.messenger.send(replace(NOTICE, text=text, data=data), timeout_s=30.0)
    for message in setup.service.messages:
        assert utf16_length(message.text) <= setup.kind.limit
        assert message.text.rstrip().endswith(LINK)
        assert not set("\x00\x1b\r\u202e") & set(message.text)
        assert message.fallback == "" or message.fallback.endswith(LINK)
        assert sms_bytes(message.fallback) <= 2000


# What only some of them have


async def test_an_expired_token_is_replaced_once() -> None:
    service = NaverWorksService()
    await service.start()
    _, messenger = opened(KINDS["naverworks"], service.url)
    await messenger.send(NOTICE, timeout_s=30.0)
    assert service.tokens == 1
    service.tokens += 1  # Whoever else asks for one makes ours invalid.
    await messenger.send(replace(NOTICE, id="n2"), timeout_s=30.0)
    assert service.tokens == 3
    assert len(service.messages) == 4
    service.revoked = True
    with pytest.raises(ChannelRefused, match="does not accept the keys"):
        await messenger.send(replace(NOTICE, id="n3"), timeout_s=30.0)
    assert service.tokens == 4, "one new token is tried, not many"
    await messenger.close()
    await service.stop()


async def test_a_private_key_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PEM", "not a key at all")
    with pytest.raises(ConfigError, match="kept in env:TEST_PEM") as caught:
        opened(KINDS["naverworks"], "http://127.0.0.1:1")
    assert "not a key at all" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "room"), [("kakaowork", "conversation_id"), ("naverworks", "room_id")]
)
async def test_a_room_takes_the_place_of_a_list(name: str, room: str) -> None:
    kind = KINDS[name]
    service = kind.service()
    await service.start()
    _, messenger = opened(kind, service.url, **{room: "4711"})
    await messenger.send(NOTICE, timeout_s=30.0)
    await messenger.send(replace(NOTICE, id="n2", recipients=(PARK,)), timeout_s=30.0)
    await messenger.close()
    await service.stop()
    assert [message.to for message in service.messages] == ["4711", "park@example.com"]


@pytest.mark.parametrize("name", ["alimtalk_nhn", "alimtalk_sens", "alimtalk_solapi"])
async def test_alimtalk_goes_nowhere_abroad(name: str) -> None:
    service = KINDS[name].service()
    await service.start()
    _, messenger = opened(KINDS[name], service.url, phones=["+49 151 1234567"])
    with pytest.raises(ChannelRefused, match="Korean telephone numbers only") as caught:
        await messenger.send(NOTICE, timeout_s=30.0)
    assert "1511234567" not in str(caught.value)
    await messenger.close()
    await service.stop()


@pytest.mark.parametrize("name", ["alimtalk_nhn", "alimtalk_sens", "alimtalk_solapi"])
@pytest.mark.parametrize(("sms_from", "text"), [(None, ""), ("0212345678", f"{TEXT}\n{LINK}")])
async def test_a_short_message_takes_an_alimtalks_place_if_wanted(
    name: str, sms_from: str | None, text: str
) -> None:
    service = KINDS[name].service()
    await service.start()
    _, messenger = opened(KINDS[name], service.url, sms_from=sms_from)
    await messenger.send(NOTICE, timeout_s=30.0)
    await messenger.close()
    await service.stop()
    assert {message.fallback for message in service.messages} == {text}


def test_the_signature_of_naver_cloud_is_the_documented_one() -> None:
    path = "/alimtalk/v2/services/ncp:kkobizmsg:kr:1:anjeon/messages"
    made = signature("secret", path=path, timestamp_ms="1767600000000", access_key="access")
    # printf 'POST %s\n%s\n%s' … | openssl dgst -sha256 -hmac secret -binary | base64
    assert made == "EFeiEiAVYg1FMnucv8M0wGVkVdCpLjJd0+fEmoNYpuA="


def test_the_authorization_of_solapi_is_the_documented_one() -> None:
    made = authorization("key", "secret", date="2026-01-05T08:00:00.000+00:00", salt="salt")
    # printf '2026-01-05T08:00:00.000+00:00salt' | openssl dgst -sha256 -hmac secret
    assert made == (
        "HMAC-SHA256 ApiKey=key, Date=2026-01-05T08:00:00.000+00:00, salt=salt, signature="
        "59b0a48dc35379fcfb8ab829a41d59e375151e1887f1fab4d415a9d2b8c3347a"
    )


async def test_the_time_of_naver_cloud_is_ours_in_milliseconds() -> None:
    service = SensService()
    await service.start()
    spec = SPEC.validate_python(
        {"id": "m", "name": "M", **KINDS["alimtalk_sens"].spec(service.url)}
    )
    channel = open_channel(spec, clock=ManualClock(wall=1_767_600_000.25))
    assert is_messenger(channel)
    with pytest.raises(ChannelRefused, match="this computer's clock"):
        await channel.send(NOTICE, timeout_s=30.0)
    await channel.close()
    await service.stop()
    assert service.asked[0].headers["x-ncp-apigw-timestamp"] == "1767600000250"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "kakaowork", "app_key": "plain"},
        {"kind": "kakaowork", "app_key": "env:K"},
        {"kind": "kakaowork", "app_key": "env:K", "emails": ["a@b", "no address"]},
        {"kind": "kakaowork", "app_key": "env:K", "emails": ["a@b"], "api_url": "https://u:p@host"},
        {"kind": "naverworks", "bot_id": "7", "client_id": "c", "client_secret": "env:S"},
        {"kind": "apprise", "urls": []},
        {"kind": "apprise", "urls": ["tgram://123456:token/1"]},
        {"kind": "apprise", "urls": ["env:A B"]},
        {"kind": "alimtalk_solapi", "api_key": "env:K", "api_secret": "env:S", "channel": "PF"},
        {**alimtalk("alimtalk_nhn", app_key="env:K", secret_key="env:S")("http://h")},
        {**KINDS["alimtalk_sens"].spec("http://h"), "template": "#{unknown}"},
        {**KINDS["alimtalk_sens"].spec("http://h"), "template": "#{내용} #{내용}"},
        {**KINDS["alimtalk_sens"].spec("http://h"), "template": "가" * 501},
        {**KINDS["alimtalk_sens"].spec("http://h"), "phones": ["call me"]},
    ],
    ids=str,
)
def test_unusable_settings_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SPEC.validate_python({"id": "m", "name": "M", **changes})


async def test_an_address_that_apprise_does_not_know_is_named_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_KEY", "nosuchthing://secret-token")
    _, messenger = opened(KINDS["apprise"], "http://127.0.0.1:1", urls=["env:TEST_KEY"])
    with pytest.raises(ChannelRefused, match="address 1 of channel m") as caught:
        await messenger.send(NOTICE, timeout_s=30.0)
    await messenger.close()
    assert "secret-token" not in str(caught.value)


class AnyService(MessengerService):
    """Takes whatever comes."""

    def answer(self, asked: Asked) -> tuple[int, object]:
        return 200, {"ok": True, "result": {"message_id": 1}}


@pytest.mark.parametrize(
    ("url", "plugin", "attribute", "said"),
    [
        (
            "tgram://123456789:abcdefg_hijklmnop/12345/",
            "apprise.plugins.telegram.NotifyTelegram",
            "notify_url",
            "&lt;b&gt;프레스&lt;/b&gt; &amp; &lt;!channel&gt;",
        ),
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
            "apprise.plugins.slack.NotifySlack",
            "webhook_url",
            "&lt;b&gt;프레스&lt;/b&gt; &amp; &lt;!channel&gt;",
        ),
        (
            "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
            "apprise.plugins.discord.NotifyDiscord",
            "notify_url",
            "@\u200beveryone",
        ),
    ],
)
async def test_markup_in_a_name_does_nothing(
    monkeypatch: pytest.MonkeyPatch, url: str, plugin: str, attribute: str, said: str
) -> None:
    service = AnyService()
    await service.start()
    monkeypatch.setattr(f"{plugin}.{attribute}", f"{service.url}/x")
    monkeypatch.setenv("TEST_KEY", url)
    _, messenger = opened(KINDS["apprise"], service.url, urls=["env:TEST_KEY"])
    notice = replace(NOTICE, text="<b>프레스</b> & <!channel> @everyone")
    with suppress(ChannelError):  # Slack's real answer is another one.
        await messenger.send(notice, timeout_s=30.0)
    await messenger.close()
    await service.stop()
    assert said in json.dumps(service.asked[0].data, ensure_ascii=False)


@pytest.mark.parametrize(("picture", "sent"), [("none", []), ("blurred", [b"a blurred picture"])])
async def test_a_picture_goes_along_only_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, picture: str, sent: list[bytes]
) -> None:
    service = AnyService()
    await service.start()
    monkeypatch.setenv("TEST_KEY", service.url.replace("http", "json"))
    changes = {"urls": ["env:TEST_KEY"], "picture": picture}
    _, messenger = opened(KINDS["apprise"], service.url, **changes)
    await messenger.send(replace(NOTICE, picture=b"a blurred picture"), timeout_s=30.0)
    await messenger.close()
    await service.stop()
    attached = service.asked[0].data["attachments"]
    assert [base64.b64decode(each["base64"]) for each in attached] == sent
