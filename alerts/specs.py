"""The closed union of channel kinds; each has one file in ``alerts/channels``."""

from typing import Annotated, TypeAlias

from pydantic import Field

from alerts.channels.alimtalk_nhn import AlimtalkNhnSpec
from alerts.channels.alimtalk_sens import AlimtalkSensSpec
from alerts.channels.alimtalk_solapi import AlimtalkSolapiSpec
from alerts.channels.apprise_channel import AppriseSpec
from alerts.channels.axis import AxisSpeakerSpec
from alerts.channels.gpio import GpioSpec
from alerts.channels.http_relay import HttpRelaySpec
from alerts.channels.kakaowork import KakaoWorkSpec
from alerts.channels.modbus_relay import ModbusRelaySpec
from alerts.channels.mqtt import MqttSirenSpec
from alerts.channels.mqtt_events import MqttEventsSpec
from alerts.channels.naverworks import NaverWorksSpec
from alerts.channels.onvif_relay import OnvifRelaySpec
from alerts.channels.patlite import PatliteSpec
from alerts.channels.recording import RecordingSpec
from alerts.channels.webhook import WebhookSpec
from alerts.channels.webpush import WebPushSpec
from alerts.channels.zigbee import ZigbeeSirenSpec

AnyMessengerSpec: TypeAlias = (
    KakaoWorkSpec
    | NaverWorksSpec
    | AlimtalkNhnSpec
    | AlimtalkSensSpec
    | AlimtalkSolapiSpec
    | AppriseSpec
    | WebPushSpec
    | WebhookSpec
    | MqttEventsSpec
)

AnySirenSpec: TypeAlias = (
    PatliteSpec
    | ModbusRelaySpec
    | OnvifRelaySpec
    | HttpRelaySpec
    | GpioSpec
    | AxisSpeakerSpec
    | MqttSirenSpec
    | ZigbeeSirenSpec
)

AnyChannelSpec: TypeAlias = AnySirenSpec | AnyMessengerSpec | RecordingSpec

ChannelSpec = Annotated[AnyChannelSpec, Field(discriminator="kind")]
"""Every kind of channel."""
