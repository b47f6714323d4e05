"""Failures as data: a translation key, parameters, and what to do about it."""

from collections.abc import Mapping
from types import MappingProxyType


class AnjeonError(Exception):
    """A failure that somebody is shown.

    Attributes:
        key: Message identifier in the gettext catalogues, e.g. ``"camera.offline"``.
        params: Values for the placeholders of the translated message.

    ``str()`` is the English text; the dashboard translates by ``key`` and ``params``.
    Never put a secret into ``params``: they are logged and stored.
    """

    def __init__(self, key: str, message: str, **params: object) -> None:
        super().__init__(message.format(**params) if params else message)
        self.key = key
        self.params: Mapping[str, object] = MappingProxyType(dict(params))


class ConfigError(AnjeonError):
    """The configuration cannot be used; the message says where and how to mend it."""


class CameraError(AnjeonError):
    """A camera cannot be read."""


class ModelError(AnjeonError):
    """A network's file cannot be used for what was asked of it."""


class ChannelError(AnjeonError):
    """An alert could not be handed to a channel; it will be tried again.

    Raise ``ChannelRefused`` when trying again cannot help.
    """


class ChannelRefused(ChannelError):
    """The receiver refused for good (HTTP 410, invalid credentials): do not retry."""


class StoreUnavailable(AnjeonError):
    """The database cannot be written now (locked, full, read-only, gone)."""


class WireError(AnjeonError):
    """Another process sent something that is not a message of ours."""
