"""The bytes and words that PATLITE signal towers understand.

Sources: PATLITE's manuals of the NHL/NHP (PNS, PHN) and LA6-POE (PNS, PHN, HTTP, Modbus/TCP).
"""

from dataclasses import dataclass

OFF, ON, FLASH, KEEP = 0, 1, 2, 9
"""States of one lamp, the same in every protocol; ``KEEP``: as it is."""

ACK, NAK = 0x06, 0x15
"""One byte answers every PNS command."""

PHN_READ = b"R"
"""Asks for the PHN state: ``R`` and the byte that was written last."""

NH = b"XX"
LA6 = b"AB"
"""What PNS commands begin with: the family of the device."""

DOES_CONTROL = 0x0100
"""Modbus: without this bit a value changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What a tower shows.

    Attributes:
        lamps: States of the five tiers from the top: red, amber, green, blue, white.
        buzzer: 0 is silent; which patterns there are depends on the model.
        colours: LA6 only: what colour each tier is instead of its usual one (0 off, 1 red,
            2 amber, 3 lemon, 4 green, 5 sky blue, 6 blue, 7 purple, 8 pink, 9 white); then
            ``lamps`` counts for nothing.
        flash: With ``colours``: the whole tower flashes.
    """

    lamps: tuple[int, ...] = (OFF,) * 5
    buzzer: int = 0
    colours: tuple[int, ...] | None = None
    flash: bool = False


def pns(family: bytes, show: Show) -> bytes:
    """Command ``S`` (tiers and buzzer), or ``D`` (colours, flash, buzzer)."""
    if show.colours is None:
        return _pns(family, b"S", bytes((*show.lamps, show.buzzer)))
    return _pns(family, b"D", bytes((*show.colours, show.flash, show.buzzer)))


def pns_status(family: bytes) -> bytes:
    """Command ``G``: what do you show?"""
    return _pns(family, b"G", b"")


def phn(show: Show) -> bytes:
    """Command ``W``: from bit 7 flash green, amber, red; buzzer 2, 1; steady green, amber, red."""
    bits = 0
    for tier, state in enumerate(show.lamps[:3]):
        bits |= (state == ON) << tier | (state == FLASH) << (tier + 5)
    if show.buzzer:
        bits |= 1 << (2 + show.buzzer)
    return b"W" + bytes((bits,))


def query(show: Show) -> str:
    """The query of ``GET /api/control``."""
    if show.colours is None:
        return "alert=" + "".join(map(str, (*show.lamps, show.buzzer)))
    colours = "".join(map(str, show.colours))
    return f"color={colours}&buzzer={show.buzzer}" + ("&flash=1" if show.flash else "")


def registers(show: Show) -> list[tuple[int, int]]:
    """Addresses as on the wire (register number less one) and values to write, one by one."""
    writes = [
        (tier, DOES_CONTROL | state) for tier, state in enumerate(show.lamps) if state != KEEP
    ]
    return [*writes, (5, DOES_CONTROL | show.buzzer)]


def _pns(family: bytes, command: bytes, data: bytes) -> bytes:
    return family + command + b"\0" + len(data).to_bytes(2, "big") + data
