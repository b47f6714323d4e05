"""Renders labelled stills of forklifts and AMRs in halls, as a camera under the ceiling sees them.

Runs inside Blender 3.4 or later (Debian's ``blender`` will do), on the processor:

    blender -b -P scripts/render/stills.py -- OUT COUNT [FIRST]

Writes ``OUT/images/NNNNN.webp``, ``OUT/labels/NNNNN.txt`` (YOLO boxes: 1 forklift, 2 AMR) and
nothing for people: the figures stand there so that the vehicle network learns that they are
none. Number NNNNN seeds everything in a picture, so any of them can be made again.
"""

import math
import random
import sys
from pathlib import Path

import bpy
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).parent))

from bpy_extras.object_utils import world_to_camera_view
from hall import THINGS, hall
from vehicles import amr, forklift, person

SIZE_PX = (720, 405)
SAMPLES = 14
_LEAST_SEEN = 0.5
"""Share of a vehicle's corners that nothing stands before; others are taken out."""

_LEAST_SHOWN = 0.35
"""Share of its box that must lie in the picture."""


def main() -> None:
    """Render the stills that the command line asks for."""
    words = sys.argv[sys.argv.index("--") + 1 :]
    out, count, first = Path(words[0]), int(words[1]), int(words[2]) if len(words) > 2 else 0
    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        picture = out / "images" / f"{number:05d}.webp"
        labels = out / "labels" / f"{number:05d}.txt"
        if not labels.exists():
            rows = still(number, picture)
            labels.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def still(number: int, picture: Path) -> list[str]:
    """Render one picture; its labels."""
    rng = random.Random(number)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _settings(number)
    long, wide, high = rng.uniform(10, 26), rng.uniform(8, 18), rng.uniform(4.5, 8)
    hall(rng, long, wide, high)
    camera = _camera(rng, long, wide, high)
    spots: list[tuple[float, float, float]] = []
    vehicles = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))):
        make, kind, radius = rng.choice(((forklift, 1, 1.7), (amr, 2, 0.9)))
        spot = _free(rng, spots, radius, long, wide, camera)
        if spot is not None:
            body = make(rng).placed("vehicle", *spot, rng.uniform(0, math.tau), bevel=0.015)
            vehicles.append((kind, body))
    for make in [person] * rng.randint(0, 3) + rng.choices(THINGS, k=rng.randint(4, 12)):
        radius = 0.4 if make is person else 1.2
        spot = _free(rng, spots, radius, long, wide, camera if rng.random() < 0.6 else None)
        if spot is not None:
            make(rng).placed("thing", *spot, rng.uniform(0, math.tau))
    bpy.context.view_layer.update()
    rows = []
    for kind, body in vehicles:
        row = _label(kind, body, camera)
        if row is None:
            body.hide_render = True
        else:
            rows.append(row)
    bpy.context.scene.render.filepath = str(picture)
    bpy.ops.render.render(write_still=True)
    return rows


def _settings(seed: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.seed = SAMPLES, seed
    scene.cycles.use_denoising = False  # Debian builds Blender without the denoiser
    scene.cycles.max_bounces = 2
    scene.cycles.sample_clamp_indirect = 3
    scene.cycles.use_fast_gi = True
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.render.resolution_x, scene.render.resolution_y = SIZE_PX
    scene.render.image_settings.file_format = "WEBP"
    scene.render.image_settings.quality = 90
    scene.view_settings.view_transform = "Filmic"
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.color = (0.05, 0.05, 0.05)
    world.light_settings.distance = 4


def _camera(rng: random.Random, long: float, wide: float, high: float) -> bpy.types.Object:
    """Somewhere at a wall, 2.4 m to 6 m high, looking at the floor."""
    lens = bpy.data.cameras.new("camera")
    lens.angle = math.radians(rng.uniform(50, 95))
    camera = bpy.data.objects.new("camera", lens)
    bpy.context.scene.collection.objects.link(camera)
    camera.location = (rng.uniform(0.1, 0.25) * long, rng.uniform(0.15, 0.85) * wide,
                       min(rng.uniform(2.4, 6), high - 0.6))  # fmt: skip
    goal = Vector((rng.uniform(0.35, 0.75) * long, rng.uniform(0.3, 0.7) * wide, 0.3))
    way = (goal - camera.location).to_track_quat("-Z", "Y").to_euler()
    camera.rotation_euler = (way.x, rng.gauss(0, 0.03), way.z)
    bpy.context.scene.camera = camera
    bpy.context.view_layer.update()
    return camera


def _free(rng, spots, radius, long, wide, camera) -> tuple[float, float] | None:
    """A place that nothing else takes, in sight of the camera if there is one."""
    for _ in range(60):
        x, y = rng.uniform(1, long - 1), rng.uniform(1, wide - 1)
        if camera is not None and not _in_sight(camera, x, y):
            continue
        if all(math.hypot(x - a, y - b) > radius + r for a, b, r in spots):
            spots.append((x, y, radius))
            return x, y
    return None


def _in_sight(camera, x: float, y: float) -> bool:
    seen = world_to_camera_view(bpy.context.scene, camera, Vector((x, y, 0.5)))
    away = (Vector((x, y, 0.5)) - camera.location).length
    return 0.02 < seen.x < 0.98 and -0.1 < seen.y < 1.0 and seen.z > 2 and away < 20


def _label(kind: int, body: bpy.types.Object, camera) -> str | None:
    """A YOLO line; None for what is hardly seen."""
    scene, graph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    corners = [body.matrix_world @ v.co for v in body.data.vertices]
    places = [world_to_camera_view(scene, camera, corner) for corner in corners]
    if min(place.z for place in places) < 0.3:
        return None
    x = [place.x for place in places]
    y = [1 - place.y for place in places]
    whole = (min(x), min(y), max(x), max(y))
    left, top, right, bottom = (min(max(v, 0.0), 1.0) for v in whole)
    area = (whole[2] - whole[0]) * (whole[3] - whole[1])
    if (right - left) * (bottom - top) < _LEAST_SHOWN * area or right - left < 12 / SIZE_PX[0]:
        return None
    seen = 0
    chosen = corners[:: max(len(corners) // 80, 1)]
    for corner in chosen:
        way = corner - camera.location
        hit, _, _, _, what, _ = scene.ray_cast(graph, camera.location, way.normalized(),
                                               distance=way.length + 0.3)  # fmt: skip
        seen += not hit or what.name == body.name
    if seen < _LEAST_SEEN * len(chosen):
        return None
    numbers = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return " ".join([str(kind), *(f"{number:.5f}" for number in numbers)])


main()
