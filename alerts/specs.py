"""The closed union of channel kinds; each has one file in ``alerts/channels``."""

from typing import Annotated

from pydantic import Field

from alerts.channels.mqtt import MqttSirenSpec
from alerts.channels.recording import RecordingSpec
from alerts.channels.webhook import WebhookSpec

ChannelSpec = Annotated[MqttSirenSpec | WebhookSpec | RecordingSpec, Field(discriminator="kind")]
"""Every kind of channel."""
