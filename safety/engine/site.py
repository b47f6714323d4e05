"""The configuration in force, and how the engine learns of a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from alerts.notices import SiteContext
from alerts.open import AnyChannelSpec, carries_notices
from cameras.messages import Configure
from safety.config import Settings
from safety.errors import StoreUnavailable
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.site.watching import unwatched_zones
from safety.store import configuration
from safety.store.database import Database
from zones.calibration import FloorCalibration
from zones.survey import solve

log = structlog.get_logger(__name__)


class EngineSite(BaseModel):
    """A site with its revisions, as one moment's configuration."""

    model_config = ConfigDict(frozen=True, ignored_types=(cached_property,))

    spec: SiteSpec
    revision: int
    rule_revisions: dict[str, int]
    disabled_channels: dict[str, str] = {}
    """Why nothing is sent there, by channel id."""

    @cached_property
    def channels(self) -> tuple[AnyChannelSpec, ...]:
        """Channels that are to be used."""
        return tuple(
            c for c in self.spec.channels if c.enabled and c.id not in self.disabled_channels
        )

    @cached_property
    def rule_channels(self) -> Mapping[str, tuple[str, ...] | None]:
        """Channels of every rule; None: all."""
        return {rule.id: rule.channels for rule in self.spec.rules}

    @cached_property
    def cooldowns_s(self) -> Mapping[str, float]:
        """Cooldown of every rule."""
        return {rule.id: rule.cooldown_s for rule in self.spec.rules}

    @cached_property
    def floor_zones(self) -> frozenset[str]:
        """Zones on the floor plan, which several cameras may watch."""
        return frozenset(zone.id for zone in self.spec.zones if zone.floor_m is not None)

    @cached_property
    def calibrations(self) -> Mapping[str, FloorCalibration]:
        """How every camera that is in use and calibrated sees the floor, by camera id."""
        return {
            camera.id: solve(camera.calibration)
            for camera in self.spec.cameras
            if camera.enabled and camera.calibration is not None
        }

    @cached_property
    def unwatched_zones(self) -> tuple[str, ...]:
        """Zones on the floor that no calibrated camera sees."""
        return tuple(zone.id for zone in unwatched_zones(self.spec))

    @cached_property
    def context(self) -> SiteContext:
        """What alerts' texts need to know of the site."""
        spec = self.spec
        return SiteContext(
            name=spec.name,
            timezone=spec.timezone,
            language=spec.language,
            messengers=tuple(c.id for c in self.channels if carries_notices(c)),
            address=Settings().public_url.rstrip("/"),
            cameras={camera.id: camera.name for camera in spec.cameras},
            zones={zone.id: zone.name for zone in spec.zones},
            rules={rule.id: rule.name for rule in spec.rules},
            channels={channel.id: channel.name for channel in spec.channels},
            rule_channels=self.rule_channels,
            policy=spec.policy,
            shifts=spec.plant.shifts,
        )

    def part(self, cameras: frozenset[str]) -> Configure:
        """What the shard of these cameras has to know."""
        zones = tuple(z for z in self.spec.zones if z.camera_id is None or z.camera_id in cameras)
        zone_ids = {None, *(zone.id for zone in zones)}
        return Configure(
            revision=self.revision,
            rule_revisions=self.rule_revisions,
            cameras=tuple(c for c in self.spec.cameras if c.id in cameras and c.enabled),
            zones=zones,
            rules=tuple(rule for rule in self.spec.rules if rule.zone_id in zone_ids),
            cameras_in_all=sum(camera.enabled for camera in self.spec.cameras),
        )


@dataclass(slots=True)
class SiteKeeper:
    """Reads the configuration from the record, and from a copy on disk while that is away.

    With the copy an engine that starts while the database is down still watches.
    """

    database: Database
    copy: Path

    def read(self, known_revision: int | None) -> EngineSite | None:
        """The configuration, if it is another one than ``known_revision``; blocking.

        Raises:
            StoreUnavailable: The database cannot be read, and something is known already or
                there is no copy.
        """
        try:
            return self._read_database(known_revision)
        except StoreUnavailable:
            if known_revision is not None:
                raise
            if (copied := self._read_copy()) is None:
                raise
            log.warning("configuration_from_copy", revision=copied.revision)
            return copied

    def _read_database(self, known_revision: int | None) -> EngineSite | None:
        with self.database.reading() as session:
            if configuration.revision(session) == known_revision:
                return None
            loaded = load_site(session)
        site = EngineSite(
            spec=loaded.spec,
            revision=loaded.revision,
            rule_revisions=dict(loaded.rule_revisions),
            disabled_channels=dict(loaded.disabled_channels),
        )
        self._write_copy(site)
        return site

    def _read_copy(self) -> EngineSite | None:
        try:
            return EngineSite.model_validate_json(self.copy.read_bytes())
        except (OSError, ValidationError):
            return None

    def _write_copy(self, site: EngineSite) -> None:
        part = self.copy.with_suffix(".part")
        try:
            part.write_text(site.model_dump_json(), encoding="utf-8")
            part.chmod(0o600)
            part.replace(self.copy)
        except OSError as error:
            log.warning("configuration_not_copied", why=str(error))
