"""Events of the plant's watching itself that become alerts: blind cameras, dead channels."""

from collections.abc import Callable, Mapping
from functools import partial

from sqlmodel import Session

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
        recorder: Recorder,
        site: Callable[[], EngineSite],
        recorded: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._site = site
        self._recorded = recorded

    def blindness(self, episode: Blindness) -> None:
        """A camera has been blind for too long, or sees again."""
        now, camera_id = self._clock.now(), episode.camera_id
        if episode.over:
            self._write(
                ("sees", episode.id),
                lambda session: clear_camera_blind(
                    session, camera_id=camera_id, site=self._context, now=now
                ),
            )
            return
        self._write(
            ("blind", episode.id),
            lambda session: raise_camera_blind(
                session,
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
            lambda session: raise_not_paused(
                session,
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
                lambda session: clear_channel_failed(
                    session, channel_id=channel_id, site=self._context, now=now
                ),
            )
            return
        if isinstance(error, ChannelGone):
            self._write(("channel_gone", channel_id), partial(self._disable, channel_id, error))
        self._write(
            ("channel_failed", channel_id, repr(now)),
            lambda session: raise_channel_failed(
                session,
                channel_id=channel_id,
                error=error,
                site=self._context,
                now=now,
            ),
        )

    @property
    def _context(self) -> SiteContext:
        return self._site().context

    @staticmethod
    def _disable(channel_id: str, error: ChannelError, session: Session) -> None:
        configuration.disable_channel(session, channel_id, reason=str(error))

    def _write(self, key: tuple[str, ...], write: Callable[[Session], None]) -> None:
        async def stored() -> None:
            self._recorded()

        self._recorder.put(Entry(key=key, write=write, stored=stored))
