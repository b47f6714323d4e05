"""Numbers, months and cells as people of one language read them."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from safety.i18n import Translate, translator
from safety.months import first_day
from safety.reports.presented import Cell
from safety.reports.schema import Figure

_DASH = "–"


@dataclass(frozen=True, slots=True)
class Wording:
    """One language and one time zone."""

    language: str
    timezone: str

    @property
    def say(self) -> Translate:
        """The text of a key."""
        return translator(self.language)

    def month(self, month: str) -> str:
        """``2026년 11월`` or ``November 2026``."""
        form = "y년 M월" if self.language == "ko" else "LLLL y"
        return format_date(first_day(month), form, locale=self.language)

    def day(self, day: date | None) -> str:
        """A day, in the language's own order."""
        return _DASH if day is None else format_date(day, "medium", locale=self.language)

    def moment(self, at: datetime) -> str:
        """A moment in the site's time zone, to the minute."""
        return at.astimezone(ZoneInfo(self.timezone)).strftime("%Y-%m-%d %H:%M")

    def number(self, value: float | None, digits: int = 2) -> str:
        """A number with at most so many digits after the point; a dash for None."""
        if value is None:
            return _DASH
        pattern = "#,##0" if not digits else "#,##0." + "#" * digits
        return format_decimal(value, pattern, locale=self.language)

    def share(self, value: float | None) -> str:
        """A share as percent."""
        return _DASH if value is None else f"{self.number(value * 100, 1)} %"

    def interval(self, figure: Figure, digits: int = 2) -> str:
        """``0.3–2.1``; a dash where there is none."""
        return self.between(figure.lower, figure.upper, digits)

    def between(self, lower: float | None, upper: float | None, digits: int = 2) -> str:
        """``0.3–2.1``; an open upper end is written out."""
        if lower is None:
            return _DASH
        if upper is None:
            return self.say("report.at_least", value=self.number(lower, digits))
        return f"{self.number(lower, digits)}–{self.number(upper, digits)}"

    def share_interval(self, lower: float | None, upper: float | None) -> str:
        """``71.2 %–80 %``; a dash where there is none."""
        if lower is None or upper is None:
            return _DASH
        return f"{self.share(lower)}–{self.share(upper)}"

    def cell(self, value: float | None, digits: int = 2, *, formula: str = "") -> Cell:
        """A number in a table."""
        return Cell(value, self.number(value, digits), formula)

    def percent(self, value: float | None, *, formula: str = "") -> Cell:
        """A share in a table; spreadsheets get the share itself."""
        return Cell(value, self.share(value), formula)


def text(value: str) -> Cell:
    """Words in a table."""
    return Cell(value, value or _DASH)
