"""Secrets that somebody types in once: kept in files of their own, named by reference from then on.

They lie in ``secrets`` in the data directory, readable by its user alone.
"""

import os
import re
from pathlib import Path

from safety.config import SecretRef
from safety.errors import ConfigError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


def secret_reference(data_dir: Path, name: str) -> SecretRef:
    """What the specification says instead of the secret.

    Raises:
        ConfigError: The data directory has a blank in its name, which references cannot have.
    """
    place = _place(data_dir, name)
    if re.search(r"\s", str(place)):
        raise ConfigError(
            "config.secret_blank",
            "secrets cannot be kept below {place}: its name has blanks; use a data directory"
            " without blanks, or a reference such as env:NAME",
            place=str(data_dir.resolve()),
        )
    return f"file:{place}"


def keep_secret(data_dir: Path, name: str, value: str) -> None:
    """Write a secret, or replace it; the former one is gone.

    Raises:
        ConfigError: It cannot be written.
    """
    place = _place(data_dir, name)
    part = place.with_suffix(".part")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise ConfigError(
            "config.secret_not_written",
            "the secret cannot be written to {place} ({why}); check the disk and its rights",
            place=str(place.parent),
            why=(error.strerror or "unknown reason").lower(),
        ) from None


def forget_secret(data_dir: Path, name: str) -> None:
    """Delete a secret; nothing happens if there is none."""
    _place(data_dir, name).unlink(missing_ok=True)


def _place(data_dir: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a secret")
    return data_dir.resolve() / "secrets" / name
