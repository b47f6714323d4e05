"""What one camera's detections are in the world: persons and vehicles, on the floor if known."""

from dataclasses import dataclass

from safety.clock import Instant
from safety.perception.vehicle_tracking import VehicleTracker
from safety.types import Detections, SeenVehicle, TrackedPerson
from zones.calibration import FloorCalibration
from zones.floor import locate, locate_vehicles
from zones.motion import PersonMotion, VehicleMotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The persons and vehicles of one frame, with places and velocities where known."""

    persons: tuple[TrackedPerson, ...]
    vehicles: tuple[SeenVehicle, ...]


class Sight:
    """Follows one camera's vehicles, and everybody's motion on its floor."""

    def __init__(self) -> None:
        self._tracker = VehicleTracker()
        self._calibration: FloorCalibration | None = None
        self._persons = PersonMotion()
        self._vehicles: VehicleMotion | None = None

    def update(
        self,
        persons: tuple[TrackedPerson, ...],
        detections: Detections,
        at: Instant,
        calibration: FloorCalibration | None,
    ) -> Seen:
        """Take one frame.

        Args:
            persons: The persons followed in it.
            detections: All that the network found.
            at: When it was captured.
            calibration: How the camera sees the floor now; None: unknown.
        """
        vehicles = self._tracker.update(detections, at)
        if calibration is None:
            return Seen(persons=persons, vehicles=vehicles)
        motion = self._motion(calibration)
        return Seen(
            persons=self._persons.update(locate(persons, calibration), at),
            vehicles=motion.update(locate_vehicles(vehicles, calibration), at),
        )

    def _motion(self, calibration: FloorCalibration) -> VehicleMotion:
        if self._vehicles is None or calibration is not self._calibration:
            self._calibration = calibration
            # Places by another calibration make no velocity with those by this one.
            self._persons, self._vehicles = PersonMotion(), VehicleMotion(calibration)
        return self._vehicles
