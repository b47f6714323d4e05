"""Channel ``zigbee_siren``: a Zigbee siren behind Zigbee2MQTT.

The bridge takes ``{"warning": …}`` on ``<topic>/set`` (https://www.zigbee2mqtt.io/devices, e.g.
HEIMAN HS2WD-E). The siren ends a warning by itself after ``duration`` seconds.
"""

import json
import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from alerts.channels.base import SirenLevel
from alerts.channels.mqtt_broker import plain_topic
from alerts.channels.mqtt_siren import MqttSirenDriver, MqttSirenSpecBase
from safety.clock import Clock

Mode = Literal["burglar", "fire", "emergency", "police_panic", "fire_panic", "emergency_panic"]
Volume = Literal["low", "medium", "high", "very_high"]


class ZigbeeSirenSpec(MqttSirenSpecBase):
    """A Zigbee siren that Zigbee2MQTT commands."""

    kind: Literal["zigbee_siren"] = "zigbee_siren"
    topic: Annotated[str, AfterValidator(plain_topic)] = Field(min_length=1, max_length=200)
    """Topic of the device at the bridge, usually zigbee2mqtt/<friendly name>."""
    danger_mode: Mode = "emergency"
    """Sound at danger."""
    danger_volume: Volume = "very_high"
    """How loud it is at danger."""
    warning_mode: Mode = "emergency"
    """Sound at warning."""
    warning_volume: Volume = "low"
    """How loud it is at warning."""
    strobe: bool = True
    """Whether it flashes as well."""


class ZigbeeSiren(MqttSirenDriver):
    """Speaks as Zigbee2MQTT wants it."""

    def __init__(self, spec: ZigbeeSirenSpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self._spec = spec

    def payload(self, level: SirenLevel, *, ttl_s: float, reason: str) -> bytes:
        spec = self._spec
        danger = level is SirenLevel.DANGER
        warning: dict[str, object]
        if level is SirenLevel.OFF:
            warning = {"mode": "stop", "strobe": False, "duration": 0}
        else:
            warning = {
                "mode": spec.danger_mode if danger else spec.warning_mode,
                "level": spec.danger_volume if danger else spec.warning_volume,
                "strobe": spec.strobe,
                # Whole seconds, never fewer: it must not pause between two repetitions.
                "duration": math.ceil(ttl_s),
            }
        return json.dumps({"warning": warning}).encode()
