"""What a webhook receiver's answer means for the delivery."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from alerts.channels.base import ChannelBusy, ChannelGone
from safety.errors import ChannelError, ChannelRefused

_WORTH_ANOTHER_TRY = {408, 425, 429}


def judge_answer(receiver: str, status: int, retry_after: str | None, *, now_wall: float) -> None:
    """Return if the notice was taken (2xx), raise otherwise.

    Raises:
        ChannelGone: 410: the receiver wants nothing any more.
        ChannelBusy: 408, 425, 429 and 5xx: try again, not before ``Retry-After``.
        ChannelRefused: Any other 4xx: the same request would be refused again.
        ChannelError: A redirection (a captive portal, a moved receiver) or something odd.
    """
    if 200 <= status < 300:
        return
    if status == 410:
        raise ChannelGone(
            "channel.webhook_gone",
            "{receiver} answered 410 Gone: it wants no more alerts; "
            "remove this channel or enter the receiver's new address",
            receiver=receiver,
        )
    if status >= 500 or status in _WORTH_ANOTHER_TRY:
        raise ChannelBusy(
            "channel.webhook_busy",
            "{receiver} answered HTTP {status}; it will be tried again",
            retry_after_s=seconds_to_wait(retry_after, now_wall=now_wall),
            receiver=receiver,
            status=status,
        )
    if status >= 400:
        raise ChannelRefused(
            "channel.webhook_refused",
            "{receiver} refused the alert with HTTP {status}; check its address and that both "
            "sides have the same signing secret and the right time",
            receiver=receiver,
            status=status,
        )
    raise ChannelError(
        "channel.webhook_odd_answer",
        "{receiver} answered HTTP {status}; redirections are not followed, enter the final address",
        receiver=receiver,
        status=status,
    )


def seconds_to_wait(retry_after: str | None, *, now_wall: float) -> float | None:
    """``Retry-After`` (RFC 9110, 10.2.3: seconds or a date) in seconds; None if unusable."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    return max(0.0, date.timestamp() - now_wall)
