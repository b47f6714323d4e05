"""Halls: floor, walls, pillars, lines, light, and things that stand about and are no vehicle."""

import math
import random

import bpy
from shapes import Body, material, worn
from vehicles import grey, paint, pallet


def hall(rng: random.Random, long: float, wide: float, high: float) -> None:
    """Floor, walls, pillars and lamps; x from 0 to ``long``, y from 0 to ``wide``."""
    tone = rng.uniform(0.12, 0.5)
    warm = rng.uniform(0.92, 1.05)
    low = (tone * 0.8, tone * 0.8, tone * 0.8 / warm)
    floor = worn(material("floor", low, roughness=rng.uniform(0.3, 0.8)), rng.uniform(0.2, 1.5),
                 low, (tone, tone, tone / warm))  # fmt: skip
    shell = Body()
    shell.box((long / 2, wide / 2, -0.05), (long + 2, wide + 2, 0.1), floor)
    shell.placed("floor", 0, 0)
    walls, wall, band = Body(), grey(rng, 0.25, 0.8), paint(rng)
    stripe = rng.uniform(0.5, 1.5)
    for x, y, a, b in ((long / 2, wide, long, 0.1), (long / 2, 0, long, 0.1),
                       (0, wide / 2, 0.1, wide), (long, wide / 2, 0.1, wide)):  # fmt: skip
        walls.box((x, y, stripe / 2), (a, b, stripe), band)
        walls.box((x, y, (high + stripe) / 2), (a, b, high - stripe), wall)
    walls.box((long / 2, wide / 2, high + 0.05), (long, wide, 0.1), grey(rng, 0.1, 0.5))
    walls.placed("walls", 0, 0)
    _pillars(rng, long, wide, high)
    _lines(rng, long, wide)
    _lamps(rng, long, wide, high)


def _pillars(rng, long, wide, high) -> None:
    if rng.random() < 0.3:
        return
    of, dark, bright = grey(rng, 0.3, 0.8), grey(rng, 0.01, 0.03), material("s", (0.8, 0.6, 0.02))
    for x in (long * 0.33, long * 0.66):
        for y in (wide * 0.25, wide * 0.75):
            post, thick = Body(), rng.uniform(0.25, 0.5)
            post.box((0, 0, high / 2), (thick, thick, high), of)
            for i in range(5):
                post.box((0, 0, 0.1 + 0.2 * i), (thick + 0.03, thick + 0.03, 0.2),
                         (dark, bright)[i % 2])  # fmt: skip
            post.placed("pillar", x, y)


def _lines(rng, long, wide) -> None:
    lines = Body()
    of = material("line", rng.choice(((0.8, 0.6, 0.05), (0.8, 0.8, 0.8), (0.7, 0.05, 0.05))))
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.5:
            lines.box((long / 2, rng.uniform(0.1, 0.9) * wide, 0.003), (long, 0.1, 0.004), of)
        else:
            lines.box((rng.uniform(0.1, 0.9) * long, wide / 2, 0.003), (0.1, wide, 0.004), of)
    lines.placed("lines", 0, 0)


def _lamps(rng, long, wide, high) -> None:
    strength = math.exp(rng.uniform(math.log(0.2), math.log(1.6)))
    colour = rng.choice(((1, 1, 1), (1, 0.93, 0.82), (0.85, 0.93, 1)))
    for x in (0.25, 0.75):
        for y in (0.25, 0.75):
            lamp = bpy.data.lights.new("lamp", "AREA")
            lamp.size, lamp.color = rng.uniform(1.5, 4), colour
            lamp.energy = 6 * long * wide * strength * rng.uniform(0.5, 1.3)
            there = bpy.data.objects.new("lamp", lamp)
            there.location = (x * long, y * wide, high - 0.3)
            bpy.context.scene.collection.objects.link(there)


def rack(rng: random.Random) -> Body:
    """Uprights, beams and goods."""
    body, of, beam = Body(), paint(rng), paint(rng)
    long, levels, floor = rng.uniform(1.8, 3.5), rng.randint(2, 4), rng.uniform(0.5, 1.1)
    tall = floor * levels
    for x in (-long / 2, 0, long / 2):
        for y in (-0.4, 0.4):
            body.box((x, y, tall / 2), (0.08, 0.08, tall), of)
        for z in range(int(tall / 0.5)):
            body.bar((x, -0.4, z * 0.5), (x, 0.4, z * 0.5 + 0.5), 0.02, of)
    for level in range(levels):
        z = floor * level + 0.12
        body.box((0, 0, z), (long, 0.9, 0.05), beam)
        for _ in range(rng.randint(1, 6)):
            size = [rng.uniform(0.2, 0.6) for _ in range(3)]
            size[2] = min(size[2], floor * 0.8)
            of_box = rng.choice((material("carton", (0.45, 0.3, 0.16)), paint(rng)))
            spot = (rng.uniform(-0.42, 0.42) * long, rng.uniform(-0.2, 0.2))
            body.box((*spot, z + 0.025 + size[2] / 2), size, of_box)
    return body


def table(rng: random.Random) -> Body:
    """A bench with or without legs, and boxes on it."""
    body, of = Body(), rng.choice((grey(rng, 0.3, 0.7), material("wood", (0.4, 0.26, 0.14))))
    long, wide, tall = rng.uniform(0.9, 2.2), rng.uniform(0.6, 0.9), rng.uniform(0.7, 0.95)
    if rng.random() < 0.5:
        body.box((0, 0, tall / 2), (long, wide, tall), of)
    else:
        body.box((0, 0, tall - 0.03), (long, wide, 0.06), of)
        for x in (-0.46, 0.46):
            for y in (-0.45, 0.45):
                body.box((x * long, y * wide, tall / 2), (0.06, 0.06, tall), of)
    for _ in range(rng.randint(0, 3)):
        size = (rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.4))
        body.box((rng.uniform(-0.3, 0.3) * long, 0, tall + size[2] / 2), size, paint(rng))
    return body


def goods(rng: random.Random) -> Body:
    """Boxes or a loaded pallet on the floor, or a drum."""
    body, kind = Body(), rng.random()
    if kind < 0.35:
        pallet(body, rng, 0, 0, 0, rng.uniform(0.0, 1.3))
    elif kind < 0.5:
        body.bar((0, 0, 0), (0, 0, 0.9), 0.3, paint(rng), 16)
    else:
        carton = material("carton", (0.45, 0.3, 0.16), roughness=0.9)
        tall, of = rng.uniform(0.3, 1.1), rng.choice((carton, paint(rng), paint(rng)))
        body.box((0, 0, tall / 2), (rng.uniform(0.4, 1.1), rng.uniform(0.4, 1), tall), of)
        if rng.random() < 0.3:
            body.box((0, 0, tall + 0.15), (0.4, 0.4, 0.3), rng.choice((carton, paint(rng))))
    return body


def trolley(rng: random.Random) -> Body:
    """A hand cart: platform on wheels with a bow to push."""
    body, of, metal = Body(), paint(rng), grey(rng, 0.3, 0.7, metal=0.7)
    long, wide = rng.uniform(0.8, 1.3), rng.uniform(0.5, 0.75)
    body.box((0, 0, 0.24), (long, wide, 0.04), of)
    for x in (-0.42, 0.42):
        for y in (-0.42, 0.42):
            body.wheel((x * long, y * wide, 0.1), 0.1, 0.04, grey(rng, 0.01, 0.05), metal)
    for y in (-0.45, 0.45):
        body.bar((-long / 2, y * wide, 0.24), (-long / 2, y * wide, 1.0), 0.02, metal, 8)
    body.bar((-long / 2, -0.45 * wide, 1.0), (-long / 2, 0.45 * wide, 1.0), 0.02, metal, 8)
    return body


def machine(rng: random.Random) -> Body:
    """A press or a cabinet: large boxes with a panel and a window."""
    body, of, dark = Body(), paint(rng), grey(rng, 0.02, 0.1)
    long, wide, tall = rng.uniform(0.8, 2.4), rng.uniform(0.7, 1.6), rng.uniform(1.2, 2.6)
    body.box((0, 0, tall * 0.25), (long, wide, tall * 0.5), of)
    body.box((0, 0.1, tall * 0.75), (long * rng.uniform(0.6, 1), wide * 0.8, tall * 0.5), of)
    body.box((0, -wide * 0.45, tall * 0.6), (long * 0.5, 0.1, tall * 0.25), dark)
    body.box((long * 0.4, -wide * 0.55, tall * 0.55), (0.25, 0.1, 0.35), grey(rng, 0.3, 0.7))
    return body


def fence(rng: random.Random) -> Body:
    """Posts and wires round a cell."""
    body, post, wire = Body(), paint(rng), grey(rng, 0.02, 0.3)
    long, fields = rng.uniform(2, 4), rng.randint(2, 3)
    for i in range(fields + 1):
        body.bar((long * i / fields, 0, 0), (long * i / fields, 0, 2.0), 0.04, post)
    for i in range(20):
        body.bar((long * i / 20, 0, 0.15), (long * i / 20, 0, 1.95), 0.008, wire)
    for z in (0.15, 1.05, 1.95):
        body.bar((0, 0, z), (long, 0, z), 0.015, wire)
    return body


THINGS = (rack, table, table, goods, goods, goods, trolley, machine, fence)
"""What stands about; what is named twice is there more often."""
