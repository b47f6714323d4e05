"""Wheel build hook; fetches the browser libraries named in the npm lock file."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrowserLibraries(BuildHookInterface):  # type: ignore[type-arg]
    """Placeholder until the npm lock file lands."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        return
