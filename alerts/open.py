"""From a channel's specification to its driver."""

from pathlib import Path
from typing import TypeAlias, TypeGuard

from alerts.channels.base import Messenger, Siren
from alerts.channels.mqtt import MqttSiren, MqttSirenSpec
from alerts.channels.recording import RecordingChannel, RecordingSpec
from alerts.channels.webhook import WebhookMessenger, WebhookSpec
from safety.clock import Clock
from safety.config import Settings
from safety.errors import ConfigError

AnyChannelSpec: TypeAlias = MqttSirenSpec | WebhookSpec | RecordingSpec


def open_channel(
    spec: AnyChannelSpec, *, clock: Clock, data_dir: Path | None = None
) -> Siren | Messenger:
    """The driver of a channel; call it inside a running event loop.

    Args:
        spec: Which channel.
        clock: Where receipts and signatures take the time from.
        data_dir: Where ``recording`` writes by default; None: as the settings say.

    Raises:
        ConfigError: A secret or a certificate is missing or unusable.
    """
    try:
        match spec:
            case MqttSirenSpec():
                return MqttSiren(spec, clock=clock)
            case WebhookSpec():
                return WebhookMessenger(spec, clock=clock)
            case RecordingSpec():
                directory = Settings().data_dir if data_dir is None else data_dir
                return RecordingChannel(spec, clock=clock, data_dir=directory)
    except OSError as error:
        raise ConfigError(
            "channel.certificate",
            "the certificate authority's file of channel {channel} cannot be used ({problem}); "
            "check ca_file",
            channel=spec.id,
            problem=error.strerror or type(error).__name__,
        ) from None


def is_siren(channel: Siren | Messenger) -> TypeGuard[Siren]:
    """Whether the channel can sound; ``recording`` is siren and messenger."""
    return hasattr(channel, "set")


def is_messenger(channel: Siren | Messenger) -> TypeGuard[Messenger]:
    """Whether the channel can carry notices."""
    return hasattr(channel, "send")


def carries_notices(spec: AnyChannelSpec) -> bool:
    """Whether channels of this kind are messengers, without opening one."""
    return spec.kind in {"webhook", "recording"}


def sounds(spec: AnyChannelSpec) -> bool:
    """Whether channels of this kind are sirens, without opening one."""
    return spec.kind in {"mqtt_siren", "recording"}
