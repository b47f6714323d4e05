"""Signature, retries and reading of answers, against the published words of the standards."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from alerts.breaker import LAST_RETRY_S, retry_after_s
from alerts.channels.webhook_answer import judge_answer, seconds_to_wait
from safety.errors import ChannelError, ChannelRefused

NOW = 1_700_000_000.0


def test_signature_of_the_golden_vector() -> None:
    signer = Webhook("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
    signature = signer.sign("msg_1", datetime.fromtimestamp(1_700_000_000, UTC), '{"a":1}')
    assert signature == "v1,WUgAXU8H0NQ1/7M+TtMwKma2b74a3/TCgekiM3YUdN8="


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Tue, 14 Nov 2023 22:15:20 GMT", 120.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after(retry_after: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(retry_after, now_wall=NOW) == seconds


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    judge_answer("https://host", status, None, now_wall=NOW)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_refusals_are_final(status: int) -> None:
    with pytest.raises(ChannelRefused):
        judge_answer("https://host", status, None, now_wall=NOW)


@pytest.mark.parametrize("status", [301, 302, 307, 408, 425, 429, 500, 502, 503, 504, 599, 700])
def test_everything_else_is_tried_again(status: int) -> None:
    with pytest.raises(ChannelError) as error:
        judge_answer("https://host", status, "5", now_wall=NOW)
    assert not isinstance(error.value, ChannelRefused)


@given(st.integers(1, 10_000))
def test_pauses_grow_with_jitter_and_have_a_limit(attempts: int) -> None:
    full_s = min(LAST_RETRY_S, 2.0 ** min(attempts - 1, 20))
    assert full_s / 2 <= retry_after_s(attempts) <= full_s


@pytest.mark.parametrize(("asked_s", "least_s"), [(None, 0.5), (60.0, 60.0), (1e9, 840.0)])
def test_a_receiver_may_ask_for_more_time_within_reason(
    asked_s: float | None, least_s: float
) -> None:
    assert least_s <= retry_after_s(1, asked_s=asked_s) <= 840.0
