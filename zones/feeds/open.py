"""From a feed's settings to the feed."""

from collections.abc import Mapping

from safety.clock import Clock
from zones.feeds.base import Feed
from zones.feeds.http_push import HttpPushFeed, HttpPushSpec
from zones.feeds.modbus import ModbusFeed, ModbusSpec
from zones.feeds.mqtt_json import MqttJsonFeed, MqttJsonSpec
from zones.feeds.mtconnect import MtConnectFeed, MtConnectSpec
from zones.feeds.opcua import OpcUaFeed, OpcUaSpec
from zones.feeds.plan import PlanArea
from zones.feeds.port import FeedPort
from zones.feeds.simulated import SimulatedFeed, SimulatedSpec
from zones.feeds.sparkplug import SparkplugFeed, SparkplugSpec
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.vda5050 import Vda5050Feed, Vda5050Spec
from zones.feeds.vehicles import VehicleSpec


def open_feed(
    spec: AnyFeedSpec,
    port: FeedPort,
    *,
    vehicles: Mapping[str, VehicleSpec],
    area: PlanArea,
    clock: Clock,
) -> Feed:
    """The feed of these settings; its ``run`` connects it.

    Raises:
        ConfigError: A secret that it needs is missing.
    """
    match spec:
        case Vda5050Spec():
            return Vda5050Feed(spec, port, vehicles=vehicles, area=area, clock=clock)
        case OpcUaSpec():
            return OpcUaFeed(spec, port, clock=clock)
        case ModbusSpec():
            return ModbusFeed(spec, port, clock=clock)
        case MqttJsonSpec():
            return MqttJsonFeed(spec, port, clock=clock)
        case SparkplugSpec():
            return SparkplugFeed(spec, port, clock=clock)
        case MtConnectSpec():
            return MtConnectFeed(spec, port, clock=clock)
        case HttpPushSpec():
            return HttpPushFeed(spec, port, clock=clock)
        case SimulatedSpec():
            return SimulatedFeed(spec, port, vehicles=vehicles, clock=clock)
