"""Why what somebody entered about an incident or accident cannot be kept."""

from safety.errors import AnjeonError


class IncidentError(AnjeonError):
    """A value cannot be used; the message says what would be."""
