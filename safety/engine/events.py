"""Events of the plant's watching itself that become alerts: blind cameras, dead channels."""

from collections.abc import Callable, Mapping
from functools import partial

from alerts.channels.base import ChannelGone
from alerts.intake_events import (
    clear_camera_blind,
    clear_channel_failed,
    raise_camera_blind,
    raise_channel_failed,
    raise_not_paused,
)
from alerts.notices import SiteContext
from safety.clock import Clock
from safety.engine.blindness import Blindness
from safety.engine.recorder import Entry, Recorder
from safety.engine.site import EngineSite
from safety.errors import ChannelError
from safety.store import configuration
from safety.store.database import Database
from safety.types import Violation


class EventDesk:
    """Queues what has happened for the record, which raises and clears the alerts.

    Args:
        site: The configuration in force, asked anew for every event.
        recorded: Called after an event is in the database: the outbox may have work.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        recorder: Recorder,
        site: Callable[[], EngineSite],
        recorded: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._database = database
        self._recorder = recorder
        self._site = site
        self._recorded = recorded

    def blindness(self, episode: Blindness) -> None:
        """A camera has been blind for too long, or sees again."""
        now, camera_id = self._clock.now(), episode.camera_id
        if episode.over:
            self._write(
                ("sees", episode.id),
                lambda: clear_camera_blind(
                    self._database, camera_id=camera_id, site=self._context, now=now
                ),
            )
            return
        self._write(
            ("blind", episode.id),
            lambda: raise_camera_blind(
                self._database,
                camera_id=camera_id,
                reason=episode.reason,
                since=episode.since,
                site=self._context,
                now=now,
            ),
        )

    def not_paused(self, vehicle_id: str, violation: Violation) -> None:
        """A vehicle that was asked to pause has not confirmed it."""
        now = self._clock.now()
        names: Mapping[str, str] = {v.id: v.name for v in self._site().spec.plant.vehicles}
        self._write(
            ("not_paused", violation.id),
            lambda: raise_not_paused(
                self._database,
                vehicle=names.get(vehicle_id, vehicle_id),
                violation=violation,
                site=self._context,
                now=now,
            ),
        )

    def channel_health(self, channel_id: str, ok: bool, error: ChannelError | None) -> None:
        """A channel has failed for too long, or works again."""
        now = self._clock.now()
        if ok or error is None:
            self._write(
                ("channel_ok", channel_id, repr(now)),
                lambda: clear_channel_failed(
                    self._database, channel_id=channel_id, site=self._context, now=now
                ),
            )
            return
        if isinstance(error, ChannelGone):
            self._write(("channel_gone", channel_id), partial(self._disable, channel_id, error))
        self._write(
            ("channel_failed", channel_id, repr(now)),
            lambda: raise_channel_failed(
                self._database,
                channel_id=channel_id,
                error=error,
                site=self._context,
                now=now,
            ),
        )

    @property
    def _context(self) -> SiteContext:
        return self._site().context

    def _disable(self, channel_id: str, error: ChannelError) -> None:
        with self._database.transaction() as session:
            configuration.disable_channel(session, channel_id, reason=str(error))

    def _write(self, key: tuple[str, ...], write: Callable[[], None]) -> None:
        async def stored() -> None:
            self._recorded()

        self._recorder.put(Entry(key=key, write=write, stored=stored))
