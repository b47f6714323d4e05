"""From a channel's specification to its driver."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from alerts.channels.alimtalk_nhn import AlimtalkNhnMessenger
from alerts.channels.alimtalk_sens import AlimtalkSensMessenger
from alerts.channels.alimtalk_solapi import AlimtalkSolapiMessenger
from alerts.channels.apprise_channel import AppriseMessenger
from alerts.channels.axis import AxisSpeaker
from alerts.channels.base import Messenger, Siren
from alerts.channels.gpio import GpioSiren
from alerts.channels.http_relay import HttpRelay
from alerts.channels.kakaowork import KakaoWorkMessenger
from alerts.channels.modbus_relay import ModbusRelay
from alerts.channels.mqtt import MqttSiren
from alerts.channels.mqtt_events import MqttEventsMessenger
from alerts.channels.naverworks import NaverWorksMessenger
from alerts.channels.onvif_relay import OnvifRelay
from alerts.channels.patlite import PatliteSiren
from alerts.channels.recording import RecordingChannel
from alerts.channels.webhook import WebhookMessenger
from alerts.channels.webpush import WebPushMessenger
from alerts.channels.zigbee import ZigbeeSiren
from alerts.specs import AnyChannelSpec
from safety.clock import Clock
from safety.config import Settings
from safety.errors import ConfigError
from safety.store.database import Database

__all__ = [
    "AnyChannelSpec",
    "carries_notices",
    "is_messenger",
    "is_siren",
    "open_channel",
    "sounds",
]

_DRIVERS: Mapping[str, type[Any]] = {
    "patlite": PatliteSiren,
    "modbus_relay": ModbusRelay,
    "onvif_relay": OnvifRelay,
    "http_relay": HttpRelay,
    "gpio": GpioSiren,
    "axis_speaker": AxisSpeaker,
    "mqtt_siren": MqttSiren,
    "zigbee_siren": ZigbeeSiren,
    "kakaowork": KakaoWorkMessenger,
    "naverworks": NaverWorksMessenger,
    "alimtalk_nhn": AlimtalkNhnMessenger,
    "alimtalk_sens": AlimtalkSensMessenger,
    "alimtalk_solapi": AlimtalkSolapiMessenger,
    "apprise": AppriseMessenger,
    "mqtt_events": MqttEventsMessenger,
    "webhook": WebhookMessenger,
    "webpush": WebPushMessenger,
    "recording": RecordingChannel,
}
"""The driver of every kind; all are made with the specification and ``clock``."""

_WRITES_FILES = {"recording", "webpush"}
"""Kinds whose drivers also want ``data_dir``."""

_READS_RECORD = {"webpush"}
"""Kinds whose drivers also want ``database``."""


def open_channel(
    spec: AnyChannelSpec,
    *,
    clock: Clock,
    data_dir: Path | None = None,
    database: Database | None = None,
) -> Siren | Messenger:
    """The driver of a channel; call it inside a running event loop.

    Args:
        spec: Which channel.
        clock: Where receipts and signatures take the time from.
        data_dir: Where files are kept, if the kind has any; None: as the settings say.
        database: The record, for kinds that read it; None: as the settings say.

    Raises:
        ConfigError: A secret or a certificate is missing or unusable.
    """
    more: dict[str, Any] = {}
    if spec.kind in _WRITES_FILES:
        more["data_dir"] = Settings().data_dir if data_dir is None else data_dir
    if spec.kind in _READS_RECORD:
        more["database"] = database or Database(Settings().database)
    try:
        driver: Siren | Messenger = _DRIVERS[spec.kind](spec, clock=clock, **more)
        return driver
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
    return hasattr(_DRIVERS[spec.kind], "send")


def sounds(spec: AnyChannelSpec) -> bool:
    """Whether channels of this kind are sirens, without opening one."""
    return hasattr(_DRIVERS[spec.kind], "set")
