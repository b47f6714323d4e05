"""How a shard that has nothing else to do would look at a scene."""

from cameras.region_notes import CameraNote, PlanNote, plans_as_noted
from cameras.region_plan import WIDTHS, CameraPlan
from cameras.region_planner import Part
from cameras.specs import CameraSpec, FileSpec
from safety.scoring.scene import Scene, SceneError
from safety.scoring.site import CAMERA_ID, calibration_of, rules_of, zones_of
from zones.engine import polygon_of


def plan_of(scene: Scene, width: int, costs: tuple[tuple[int, int, float], ...]) -> CameraPlan:
    """The plan for the scene's camera, zones and rules, with the whole machine for it.

    Args:
        width: Least width of the network.
        costs: Width and height of a network, and its milliseconds per picture.

    Raises:
        SceneError: No camera can have this width.
    """
    if width not in WIDTHS:
        raise SceneError(
            "scene.width",
            "cameras are planned from widths of {widths}, not {width}",
            widths=", ".join(str(each) for each in WIDTHS),
            width=str(width),
        )
    calibration = calibration_of(scene)
    polygons = {zone.id: polygon_of(zone, calibration) for zone in zones_of(scene)}
    part = Part(
        spec=CameraSpec(
            id=CAMERA_ID,
            name=scene.name,
            source=FileSpec(path=scene.video),
            network_width=width,
            max_fps=min(scene.fps, 60.0),
        ),
        zones=tuple(zone for zone in zones_of(scene) if polygons[zone.id] is not None),
        rules=rules_of(scene),
        rule_revisions={},
        polygons={key: polygon for key, polygon in polygons.items() if polygon is not None},
        calibration=calibration,
    )
    seen = CameraNote(width_px=scene.width_px, height_px=scene.height_px)
    return plans_as_noted([part], PlanNote(costs=costs, cameras={CAMERA_ID: seen}))[CAMERA_ID]
