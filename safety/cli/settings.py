"""Settings and log of a command."""

from safety.config import Settings, read_settings
from safety.logs import configure_logging


def settings_of(process: str) -> Settings:
    """The settings in force; from here on the log is written as they say.

    Args:
        process: What the log calls this process.

    Raises:
        ConfigError: A setting is not valid.
    """
    settings = read_settings()
    configure_logging(level=settings.log_level, log_format=settings.log_format, process=process)
    return settings
