"""Meshes of boxes, bars and cylinders, and materials, for Blender's own Python."""

import math
from collections.abc import Iterable, Sequence

import bpy
from mathutils import Matrix, Vector

Colour = tuple[float, float, float]

_SIDES = 14
"""Corners of a cylinder's outline."""


def material(
    name: str, colour: Colour, *, roughness: float = 0.6, metal: float = 0.0, glow: float = 0.0
) -> bpy.types.Material:
    """A plain surface; ``glow`` makes it shine by itself."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    surface = made.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*colour, 1)
    surface.inputs["Roughness"].default_value = roughness
    surface.inputs["Metallic"].default_value = metal
    surface.inputs["Emission"].default_value = (*colour, 1)
    surface.inputs["Emission Strength"].default_value = glow
    return made


def worn(made: bpy.types.Material, scale: float, low: Colour, high: Colour) -> bpy.types.Material:
    """The same surface with blotches between two colours: concrete, dust, old paint."""
    nodes, links = made.node_tree.nodes, made.node_tree.links
    noise, ramp = nodes.new("ShaderNodeTexNoise"), nodes.new("ShaderNodeValToRGB")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = 5
    ramp.color_ramp.elements[0].color = (*low, 1)
    ramp.color_ramp.elements[1].color = (*high, 1)
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.35, 0.7
    links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    return made


class Body:
    """One object that is put together from simple parts; x is forward, z is up, in metres."""

    def __init__(self) -> None:
        self._corners: list[Vector] = []
        self._faces: list[tuple[int, ...]] = []
        self._kinds: list[int] = []
        self._materials: list[bpy.types.Material] = []

    def box(
        self,
        middle: Sequence[float],
        size: Sequence[float],
        of: bpy.types.Material,
        yaw: float = 0.0,
        narrower: float = 1.0,
    ) -> None:
        """A box; its top is ``narrower`` than its bottom."""
        turn = Matrix.Rotation(yaw, 3, "Z")
        corners = []
        for z in (-0.5, 0.5):
            k = narrower if z > 0 else 1.0
            for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
                local = turn @ Vector((x * size[0] * k, y * size[1] * k, z * size[2]))
                corners.append(Vector(middle) + local)
        self._add(
            corners,
            [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)],
            of,
        )

    def bar(
        self,
        start: Sequence[float],
        end: Sequence[float],
        thick: float,
        of: bpy.types.Material,
        sides: int = 4,
    ) -> None:
        """A straight beam or, with more sides, a tube or a wheel."""
        first, last = Vector(start), Vector(end)
        turn = (last - first).to_track_quat("Z", "Y").to_matrix()
        ring = [math.tau * (i + 0.5) / sides for i in range(sides)]
        outline = [turn @ Vector((math.cos(a), math.sin(a), 0)) * thick for a in ring]
        corners = [first + v for v in outline] + [last + v for v in outline]
        faces = [(i, (i + 1) % sides, sides + (i + 1) % sides, sides + i) for i in range(sides)]
        faces += [tuple(reversed(range(sides))), tuple(range(sides, 2 * sides))]
        self._add(corners, faces, of)

    def wheel(self, middle: Sequence[float], radius: float, wide: float, tyre, rim) -> None:
        """A wheel whose axle lies along y."""
        x, y, z = middle
        self.bar((x, y - wide / 2, z), (x, y + wide / 2, z), radius, tyre, _SIDES)
        self.bar((x, y - wide * 0.52, z), (x, y + wide * 0.52, z), radius * 0.55, rim, _SIDES)

    def _add(self, corners: Iterable[Vector], faces: Iterable[tuple[int, ...]], of) -> None:
        if of not in self._materials:
            self._materials.append(of)
        kind, start = self._materials.index(of), len(self._corners)
        self._corners += corners
        for face in faces:
            self._faces.append(tuple(start + i for i in face))
            self._kinds.append(kind)

    def placed(
        self, name: str, x: float, y: float, yaw: float = 0.0, bevel: float = 0.0
    ) -> bpy.types.Object:
        """The finished object on the floor."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(self._corners, [], self._faces)
        for of in self._materials:
            mesh.materials.append(of)
        mesh.polygons.foreach_set("material_index", self._kinds)
        thing = bpy.data.objects.new(name, mesh)
        thing.location, thing.rotation_euler = (x, y, 0), (0, 0, yaw)
        bpy.context.scene.collection.objects.link(thing)
        if bevel:
            edge = thing.modifiers.new("bevel", "BEVEL")
            edge.width, edge.segments = bevel, 2
        return thing
