"""A check that the packages that run are ours: PyPI has another tool called ``safety``."""

import importlib.util
from pathlib import Path

import safety
from safety.errors import ConfigError

PACKAGES = ("safety", "cameras", "zones", "alerts", "dashboard")


def check_packages() -> None:
    """Raise unless all our packages come from the same place.

    Raises:
        ConfigError: Another distribution took over one of the names.
    """
    home = Path(safety.__file__).resolve().parent.parent
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if place != home:
            raise ConfigError(
                "install.foreign_package",
                "the Python package '{name}' comes from {place}, not from Anjeon; another "
                "distribution has the same name: install Anjeon in an environment of its own",
                name=name,
                place=str(place),
            )
