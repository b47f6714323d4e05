"""The closed union of feed kinds."""

from typing import Annotated

from pydantic import Field

from zones.feeds.http_push import HttpPushSpec
from zones.feeds.modbus import ModbusSpec
from zones.feeds.mqtt_json import MqttJsonSpec
from zones.feeds.mtconnect import MtConnectSpec
from zones.feeds.opcua import OpcUaSpec
from zones.feeds.simulated import SimulatedSpec
from zones.feeds.sparkplug import SparkplugSpec
from zones.feeds.vda5050 import Vda5050Spec

AnyFeedSpec = (
    Vda5050Spec
    | OpcUaSpec
    | ModbusSpec
    | MqttJsonSpec
    | SparkplugSpec
    | MtConnectSpec
    | HttpPushSpec
    | SimulatedSpec
)

FeedSpec = Annotated[AnyFeedSpec, Field(discriminator="kind")]
"""Every kind of feed; one file in ``zones/feeds`` each."""
