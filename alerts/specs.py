"""The closed union of channel kinds; each has one file in ``alerts/channels``."""

from typing import Annotated, TypeAlias

from pydantic import Field

from alerts.channels.mqtt import MqttSirenSpec
from alerts.channels.recording import RecordingSpec
from alerts.channels.webhook import WebhookSpec
from alerts.channels.zigbee import ZigbeeSirenSpec

AnyChannelSpec: TypeAlias = MqttSirenSpec | ZigbeeSirenSpec | WebhookSpec | RecordingSpec

ChannelSpec = Annotated[AnyChannelSpec, Field(discriminator="kind")]
"""Every kind of channel."""
