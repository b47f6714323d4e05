"""Which zones on the floor plan no camera watches."""

from safety.site.spec import SiteSpec
from zones.specs import ZoneSpec
from zones.survey import solve


def unwatched_zones(site: SiteSpec) -> tuple[ZoneSpec, ...]:
    """Zones on the floor that no enabled, calibrated camera sees: they are NOT MONITORED."""
    on_floor = [(zone, zone.floor_m) for zone in site.zones if zone.floor_m is not None]
    calibrations = [
        solve(camera.calibration)
        for camera in site.cameras
        if camera.enabled and camera.calibration is not None
    ]
    return tuple(
        zone
        for zone, floor_m in on_floor
        if not any(each.picture_polygon(floor_m) for each in calibrations)
    )
