"""From the clock's seconds to the database's times."""

from datetime import UTC, datetime

from safety.clock import Instant


def utc(moment: Instant | float) -> datetime:
    """The wall-clock time of an instant, or of Unix seconds, as an aware UTC datetime."""
    seconds = moment.wall if isinstance(moment, Instant) else moment
    return datetime.fromtimestamp(seconds, tz=UTC)
