"""Channel ``gpio``: output pins of the machine itself (Raspberry Pi, Jetson), by gpiozero.

The pins are this process's while the channel is open; a pin keeps its state if the process dies,
or not, as the machine pleases.
"""

import warnings
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from alerts.channels.base import SirenLevel
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_spec import LatchingSpec
from safety.clock import Clock
from safety.errors import ChannelError

if TYPE_CHECKING:
    from gpiozero import DigitalOutputDevice

Pin = Annotated[int, Field(ge=0, le=255)]


class GpioSpec(LatchingSpec):
    """Output pins of the machine that Anjeon runs on."""

    kind: Literal["gpio"] = "gpio"
    danger_pins: tuple[Pin, ...] = Field(min_length=1, max_length=16)
    """Pins that are on at danger, by their GPIO (BCM) numbers."""
    warning_pins: tuple[Pin, ...] = Field(default=(), max_length=16)
    """Pins that are on at warning."""
    active_high: bool = True
    """Whether on is the high voltage; many relay boards want the low one."""


class GpioSiren(SirenDriver):
    """Switches the pins; delivered means that they read as commanded."""

    quiet_by_itself = False
    keeps_time = False

    def __init__(self, spec: GpioSpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self._spec = spec
        self._pins: dict[int, DigitalOutputDevice] = {}

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        # Pins are switched in microseconds; a thread would only add waiting.
        spec = self._spec
        by_level = {SirenLevel.DANGER: spec.danger_pins, SirenLevel.WARNING: spec.warning_pins}
        on = by_level.get(level, ())
        pins = self._opened()
        for number, pin in pins.items():
            pin.value = number in on
        wrong = [number for number, pin in pins.items() if bool(pin.value) != (number in on)]
        if wrong:
            raise self._unusable(f"pin {wrong[0]} did not change")
        return "pins read back"

    async def _ask(self) -> str:
        self._opened()
        return "pins open"

    async def _release(self) -> None:
        pins, self._pins = self._pins, {}
        for pin in pins.values():
            pin.close()

    def _opened(self) -> "dict[int, DigitalOutputDevice]":
        """The pins, opened at the first need: an earlier channel may still hold them."""
        try:
            from gpiozero import DigitalOutputDevice, GPIOZeroError
        except ImportError:
            raise self._unusable("gpiozero is not installed") from None
        for number in sorted({*self._spec.danger_pins, *self._spec.warning_pins}):
            if number in self._pins:
                continue
            try:
                with warnings.catch_warnings():
                    # It warns of every pin library that it tries in vain.
                    warnings.simplefilter("ignore")
                    self._pins[number] = DigitalOutputDevice(
                        number, active_high=self._spec.active_high, initial_value=False
                    )
            except (GPIOZeroError, ImportError, OSError, ValueError) as error:
                raise self._unusable(str(error) or type(error).__name__) from None
        return self._pins

    def _unusable(self, problem: str) -> ChannelError:
        return ChannelError(
            "channel.gpio",
            "the pins of channel {channel} cannot be used ({problem}); run Anjeon on the machine "
            "that has the pins, install anjeon[gpio], and check the pin numbers",
            channel=self.channel_id,
            problem=problem,
        )
