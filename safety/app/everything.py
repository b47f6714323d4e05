"""``anjeon run``."""

from safety.app.processes import anjeon_command, run_processes
from safety.clock import SystemClock
from safety.config import Settings


async def run_everything(settings: Settings) -> None:
    """Keep the engine and the dashboard running until told to stop.

    Raises:
        ConfigError: The data directory cannot be used.
    """
    settings.make_data_dir()
    commands = {name: anjeon_command(name) for name in ("engine", "dashboard")}
    await run_processes(commands, clock=SystemClock())
