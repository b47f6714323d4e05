"""Channel ``mqtt_siren``: a siren or stack light behind an MQTT broker.

What a device has to do is written in ``docs/sirens.md``: obey ``<topic>/set`` and go quiet
``ttl_s`` after the last message.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import AfterValidator, Field

from alerts.channels.base import SirenLevel
from alerts.channels.mqtt_broker import plain_topic
from alerts.channels.mqtt_siren import MqttSirenDriver, MqttSirenSpecBase


class MqttSirenSpec(MqttSirenSpecBase):
    """A siren or stack light that listens on an MQTT topic."""

    kind: Literal["mqtt_siren"] = "mqtt_siren"
    topic: Annotated[str, AfterValidator(plain_topic)] = Field(min_length=1, max_length=200)
    """Topic of the device; commands go to <topic>/set."""


class MqttSiren(MqttSirenDriver):
    """Speaks to devices that know levels and times-to-live."""

    def payload(self, level: SirenLevel, *, ttl_s: float, reason: str) -> bytes:
        body = {
            "level": level.value,
            "on": level is not SirenLevel.OFF,
            "ttl_s": ttl_s,
            "reason": reason,
            "id": uuid4().hex,
            "at": datetime.fromtimestamp(self._clock.now().wall, UTC).isoformat(
                timespec="milliseconds"
            ),
        }
        return json.dumps(body, ensure_ascii=False).encode()
