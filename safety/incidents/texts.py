"""What people write: cleaned of what no page should carry, and never a resident number."""

import re
import unicodedata

from safety.incidents.errors import IncidentError

SHORT, LONG = 200, 4000
"""The most characters of a line and of a report."""

_DAY = r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_PARTED = re.compile(_DAY + r"\s{0,2}[-–—−~./_ ]\s{0,2}\d(?:\d{6}(?!\d)|[*●○xX]{6})")
"""Birth date, a mark, sex digit and six more, also masked."""
_SOLID = re.compile(_DAY + r"[1-8]\d{6}(?!\d)")
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)

_INVISIBLE = frozenset("\u200b\u200c\u2060\ufeff\u00ad\u180e")


def cleaned(text: str) -> str:
    """The text in NFC without control, bidirectional and invisible characters.

    Line ends and tabs stay; the joiner inside emoji does as well.
    """
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(each for each in plain if _is_shown(each)).strip()


def has_resident_number(text: str) -> bool:
    """Whether a part of it looks like a Korean resident or foreigner's registration number.

    Thirteen digits in a row may be an article number as well: they must also have the right
    check digit, or be of those given out since October 2020, which have none.
    """
    plain = unicodedata.normalize("NFKC", "".join(c for c in text if c not in _INVISIBLE))
    return _PARTED.search(plain) is not None or any(
        _is_resident_number(found.group()) for found in _SOLID.finditer(plain)
    )


def _is_resident_number(digits: str) -> bool:
    """Foreigners' numbers (5-8) and those of the newly born are given out without check digit."""
    if digits[6] in "5678" or (digits[6] in "34" and "20" <= digits[:2] < "60"):
        return True
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, digits[:12], strict=True))
    return (11 - total % 11) % 10 == int(digits[12])


def checked(text: str, field: str, *, most: int = SHORT, least: int = 0) -> str:
    """A text that may be kept.

    Args:
        text: As it was written.
        field: Translation key of the field's name.
        most, least: Characters.

    Raises:
        IncidentError: Too long, too short, or with something like a resident number in it.
    """
    # Looked at before anything is taken out, and after.
    kept = cleaned(text)
    if has_resident_number(text) or has_resident_number(kept):
        raise IncidentError(
            "incident.resident_number",
            "{field} holds what looks like a resident registration number; such numbers are"
            " never stored here, take it out",
            field=[field],
        )
    if len(kept) > most:
        raise IncidentError(
            "incident.too_long",
            "{field} has {length} characters; {most} at most",
            field=[field],
            length=len(kept),
            most=most,
        )
    if len(kept) < least:
        raise IncidentError(
            "incident.missing", "{field} is missing; write something there", field=[field]
        )
    return kept


def _is_shown(character: str) -> bool:
    if character in "\n\t\u200d":
        return True
    if character in _INVISIBLE or ord(character) & 0xFFFE == 0xFFFE:
        return False
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
