"""``anjeon shard``."""

from cameras.shard import run_shard
from safety.clock import SystemClock
from safety.config import Settings


def start_shard(settings: Settings, shard_id: str) -> None:
    """Run one shard until told to stop."""
    run_shard(settings, shard_id, clock=SystemClock())
