"""Finding out whether a channel works, before somebody is in danger."""

from uuid import uuid4

from alerts.channels.base import Messenger, Notice, Receipt, Siren, SirenLevel
from alerts.open import is_messenger, is_siren
from alerts.waiting import pause
from safety.clock import Clock


async def ping_channel(
    channel: Siren | Messenger, *, clock: Clock, text: str, timeout_s: float = 10.0
) -> Receipt:
    """Ask a siren whether it is there, without a sound; send a messenger a test notice.

    Args:
        channel: The driver.
        clock: The time.
        text: The test notice's sentence.
        timeout_s: Deadline for a messenger.

    Raises:
        ChannelError: It does not work; the message says what to do.
    """
    if is_siren(channel):
        return await channel.check()
    assert is_messenger(channel)
    notice_id = uuid4().hex
    notice = Notice(
        id=notice_id,
        event="test",
        alert_id=f"test-{notice_id}",
        severity="info",
        raised_at=clock.now().wall,
        text=text,
    )
    return await channel.send(notice, timeout_s=timeout_s)


async def try_siren(siren: Siren, *, seconds: float = 2.0) -> Receipt:
    """Let a siren show a warning for a moment: the test button.

    Returns at once where the device keeps the time, else when the time is over.

    Raises:
        ChannelError: It cannot be reached.
    """
    receipt = await siren.set(SirenLevel.WARNING, ttl_s=seconds, reason="test")
    if not siren.keeps_time:
        await pause(seconds)
    return receipt
