"""Forklifts and AMRs of many forms, and people as simple figures."""

import random

import bpy
from shapes import Body, Colour, material

_PAINTS: tuple[Colour, ...] = (
    (0.8, 0.45, 0.02), (0.75, 0.2, 0.02), (0.6, 0.03, 0.03), (0.03, 0.3, 0.08),
    (0.03, 0.12, 0.5), (0.6, 0.6, 0.58), (0.12, 0.13, 0.14), (0.7, 0.6, 0.1), (0.05, 0.35, 0.4),
)  # fmt: skip


def paint(rng: random.Random, roughness: float = 0.45) -> bpy.types.Material:
    """A colour that machines have, a little off."""
    colour = tuple(min(max(c * rng.uniform(0.7, 1.25), 0), 1) for c in rng.choice(_PAINTS))
    return material("paint", colour, roughness=roughness)


def grey(rng: random.Random, low: float, high: float, metal: float = 0.0) -> bpy.types.Material:
    """A grey between two shares of white."""
    value = rng.uniform(low, high)
    return material("grey", (value, value, value * rng.uniform(0.95, 1.05)), metal=metal)


def forklift(rng: random.Random) -> Body:
    """A counterbalanced truck: mast and forks before, weight behind, guard above the seat."""
    body, main = Body(), paint(rng)
    dark, steel = grey(rng, 0.01, 0.06), grey(rng, 0.2, 0.5, metal=0.8)
    weight = main if rng.random() < 0.5 else dark
    frame = dark if rng.random() < 0.75 else main
    long, wide, high = rng.uniform(1.7, 2.5), rng.uniform(0.95, 1.3), rng.uniform(1.95, 2.3)
    front, back, half = long * 0.4, -long * 0.6, wide / 2
    deck = rng.uniform(0.6, 0.85)
    body.box((-0.1, 0, deck * 0.6), (long * 0.9, wide * 0.82, deck * 0.8), main)
    body.box((back + 0.3, 0, 0.68), (0.6, wide, 0.86), weight, narrower=rng.uniform(0.85, 1))
    body.box((back + 0.75, 0, deck + 0.2), (0.75, wide * 0.7, 0.4), main)
    body.box((back + 0.8, 0, deck + 0.46), (0.5, 0.48, 0.12), dark)
    body.box((back + 0.55, 0, deck + 0.75), (0.12, 0.46, 0.6), dark)
    body.box((front - 0.18, 0, deck + 0.2), (0.25, wide * 0.7, rng.uniform(0.4, 0.65)), main)
    body.bar((front - 0.4, 0.05, deck + 0.55), (front - 0.46, 0.05, deck + 0.6), 0.17, dark, 12)
    _guard(body, rng, front, back, half, deck, high, frame)
    _mast(body, rng, front, half, high, frame if rng.random() < 0.8 else steel, steel)
    tyre, rim = grey(rng, 0.01, 0.03), grey(rng, 0.3, 0.8)
    for side in (-1, 1):
        body.wheel((front - 0.25, side * half * 0.95, 0.32), 0.32, 0.22, tyre, rim)
        body.wheel((back + 0.35, side * half * 0.85, 0.26), 0.26, 0.2, tyre, rim)
    if rng.random() < 0.5:
        _seated(body, rng, back + 0.8, deck + 0.5)
    return body


def _guard(body, rng, front, back, half, deck, high, of) -> None:
    """Four posts and a roof of bars, sometimes a closed cab."""
    inner = half * 0.85
    rear, fore = back + 0.35, front - 0.15
    for side in (-inner, inner):
        body.bar((rear, side, deck), (rear + 0.1, side, high), 0.05, of)
        body.bar((fore, side, deck), (fore - rng.uniform(0.1, 0.3), side, high), 0.05, of)
        body.bar((rear + 0.05, side, high), (fore - 0.15, side, high), 0.05, of)
    if rng.random() < 0.2:
        body.box(((rear + fore) / 2, 0, high), (fore - rear, 2 * inner, 0.06), of)
    else:
        bars = rng.randint(4, 8)
        for i in range(bars):
            x = rear + 0.05 + (fore - 0.2 - rear) * i / (bars - 1)
            body.bar((x, -inner, high), (x, inner, high), 0.03, of)
    if rng.random() < 0.4:
        lamp = material("beacon", (0.9, 0.35, 0.02), glow=rng.choice((0, 2)))
        body.bar((rear + 0.2, inner * 0.6, high), (rear + 0.2, inner * 0.6, high + 0.16), 0.06,
                 lamp, 10)  # fmt: skip


def _mast(body, rng, front, half, high, rail, steel) -> None:
    """Rails, crossbars, carriage, forks, and a load in one of three."""
    x, apart = front + 0.08, half * rng.uniform(0.45, 0.75)
    top = high * rng.uniform(0.92, 1.08)
    lift = rng.choice((0.06, 0.06, rng.uniform(0.1, 0.5), rng.uniform(0.5, 1.6)))
    for side in (-apart, apart):
        body.bar((x, side, 0.08), (x, side, top), 0.07, rail)
        body.bar((x + 0.1, side * 0.8, 0.08), (x + 0.1, side * 0.8, max(top, lift + 1)), 0.05, rail)
        body.bar((x - 0.02, side * 0.5, 0.1), (x - 0.02, side * 0.5, top * 0.9), 0.03, steel, 8)
    for z in (0.15, top * 0.55, top):
        body.bar((x, -apart, z), (x, apart, z), 0.05, rail)
    for z in (lift + 0.1, lift + 0.5):
        body.bar((x + 0.2, -half * 0.75, z), (x + 0.2, half * 0.75, z), 0.05, rail)
    long = rng.uniform(0.9, 1.25)
    for side in (-half * 0.4, half * 0.4):
        body.box((x + 0.22, side, lift + 0.3), (0.05, 0.12, 0.6), steel)
        body.box((x + 0.22 + long / 2, side, lift + 0.02), (long, 0.12, 0.045), steel)
    if rng.random() < 0.4:
        for i in range(5):
            y = half * 0.7 * (i / 2 - 1)
            body.bar((x + 0.2, y, lift + 0.5), (x + 0.2, y, lift + 1.1), 0.02, rail)
    if rng.random() < 0.33:
        pallet(body, rng, x + 0.25 + long * 0.55, 0, lift + 0.05, rng.uniform(0.3, 1.2))


def pallet(body: Body, rng: random.Random, x: float, y: float, z: float, high: float) -> None:
    """A wooden pallet with boxes or a crate on it."""
    wood = material("wood", (0.4, 0.25, 0.12), roughness=0.9)
    for side in (-0.45, 0, 0.45):
        body.box((x, y + side, z + 0.05), (1.0, 0.1, 0.1), wood)
    body.box((x, y, z + 0.12), (1.0, 1.05, 0.03), wood)
    if high < 0.1:
        return
    of = rng.choice((material("carton", (0.45, 0.3, 0.16), roughness=0.9), paint(rng)))
    if rng.random() < 0.5:
        body.box((x, y, z + 0.135 + high / 2), (0.9, 0.95, high), of)
        return
    for dx in (-0.23, 0.23):
        for dy in (-0.24, 0.24):
            tall = high * rng.uniform(0.6, 1)
            body.box((x + dx, y + dy, z + 0.135 + tall / 2), (0.43, 0.45, tall), of)


def amr(rng: random.Random) -> Body:
    """A low vehicle on hidden wheels, with or without something on top."""
    body = Body()
    long, wide, high = rng.uniform(0.65, 1.5), rng.uniform(0.45, 1.0), rng.uniform(0.2, 0.42)
    hull = rng.choice((grey(rng, 0.5, 0.85), grey(rng, 0.02, 0.15), paint(rng, 0.35)))
    trim, lid = grey(rng, 0.01, 0.06), rng.choice((grey(rng, 0.03, 0.2), grey(rng, 0.3, 0.8)))
    body.box((0, 0, 0.05 + high * 0.2), (long, wide, high * 0.4), trim)
    body.box((0, 0, high * 0.7), (long * 0.98, wide * 0.98, high * 0.6), hull,
             narrower=rng.uniform(0.9, 1))  # fmt: skip
    body.box((0, 0, high + 0.02), (long * 0.9, wide * 0.9, 0.04), lid)
    glow = material("strip", rng.choice(((0.1, 0.9, 0.9), (0.1, 0.9, 0.2), (0.2, 0.4, 1.0))),
                    glow=rng.choice((0.0, 1.5, 4.0)))  # fmt: skip
    for side in (-1, 1):
        body.box((0, side * wide * 0.495, high * 0.45), (long * 0.9, 0.02, 0.03), glow)
        body.box((side * long * 0.495, 0, high * 0.45), (0.02, wide * 0.9, 0.03), glow)
        body.wheel((0, side * wide * 0.42, 0.09), 0.09, 0.06, trim, trim)
    body.bar((long * 0.42, 0, high * 0.75), (long * 0.42, 0, high * 0.75 + 0.07), 0.05, trim, 10)
    _load(body, rng, long, wide, high + 0.04)
    return body


def _load(body, rng, long, wide, top) -> None:
    kind = rng.choice(("none", "box", "box", "box", "boxes", "shelf", "conveyor", "pallet"))
    of = rng.choice((paint(rng), paint(rng), material("carton", (0.45, 0.3, 0.16)),
                     grey(rng, 0.2, 0.7)))  # fmt: skip
    if kind == "box":
        tall = rng.uniform(0.2, 0.7)
        size = (long * rng.uniform(0.5, 0.95), wide * rng.uniform(0.55, 0.95), tall)
        body.box((0, 0, top + tall / 2), size, of)
    elif kind == "boxes":
        for x in (-0.24, 0.24):
            tall = rng.uniform(0.15, 0.5)
            body.box((x * long, 0, top + tall / 2), (long * 0.42, wide * 0.8, tall), of)
    elif kind == "shelf":
        tall, metal = rng.uniform(0.6, 1.3), grey(rng, 0.2, 0.7, metal=0.6)
        for x in (-0.45, 0.45):
            for y in (-0.45, 0.45):
                body.bar((x * long, y * wide, top), (x * long, y * wide, top + tall), 0.02, metal)
        for share in (0.35, 0.7, 1.0):
            body.box((0, 0, top + tall * share), (long * 0.92, wide * 0.92, 0.03), metal)
            if rng.random() < 0.6:
                body.box((0, 0, top + tall * share + 0.1), (long * 0.5, wide * 0.6, 0.2), of)
    elif kind == "conveyor":
        body.box((0, 0, top + 0.15), (long * 0.9, wide * 0.9, 0.3), grey(rng, 0.3, 0.7))
        for i in range(6):
            x = long * 0.42 * (i / 2.5 - 1)
            body.bar((x, -wide * 0.4, top + 0.32), (x, wide * 0.4, top + 0.32), 0.03,
                     grey(rng, 0.4, 0.8), 8)  # fmt: skip
    elif kind == "pallet":
        pallet(body, rng, 0, 0, top, rng.uniform(0.0, 0.7))


def _seated(body, rng, x, z) -> None:
    """A driver."""
    cloth, skin = paint(rng, 0.9), material("skin", (0.5, 0.3, 0.2))
    vest = material("vest", rng.choice(((0.6, 0.8, 0.05), (0.9, 0.3, 0.02))), roughness=0.8)
    body.bar((x, 0, z), (x - 0.05, 0, z + 0.55), 0.19, rng.choice((cloth, vest)), 10)
    body.bar((x - 0.02, 0, z + 0.62), (x, 0, z + 0.82), 0.1, skin, 10)
    hat = material("hat", rng.choice(((0.9, 0.9, 0.9), (0.9, 0.7, 0.05), (0.1, 0.2, 0.7))))
    body.bar((x, 0, z + 0.76), (x, 0, z + 0.88), 0.13, hat, 12)
    for side in (-1, 1):
        body.bar((x - 0.03, side * 0.2, z + 0.5), (x + 0.4, side * 0.1, z + 0.3), 0.055, cloth, 8)
        body.bar((x, side * 0.12, z + 0.05), (x + 0.45, side * 0.14, z + 0.05), 0.085, cloth, 8)
        body.bar(
            (x + 0.45, side * 0.14, z + 0.05), (x + 0.5, side * 0.14, z - 0.35), 0.07, cloth, 8
        )


def person(rng: random.Random) -> Body:
    """A standing figure: for what stands near vehicles, not to learn people from."""
    body, cloth, legs = Body(), paint(rng, 0.9), grey(rng, 0.02, 0.3)
    vest = material("vest", rng.choice(((0.6, 0.8, 0.05), (0.9, 0.3, 0.02))), roughness=0.8)
    skin, tall = material("skin", (0.5, 0.3, 0.2)), rng.uniform(0.93, 1.06)
    step = rng.uniform(0, 0.25)
    for side in (-1, 1):
        body.bar((side * step, side * 0.1, 0), (0, side * 0.09, 0.88 * tall), 0.085, legs, 8)
        body.bar((0, side * 0.2, 1.4 * tall), (side * step, side * 0.27, 0.85 * tall), 0.05,
                 cloth, 8)  # fmt: skip
    body.bar((0, 0, 0.85 * tall), (0, 0, 1.47 * tall), 0.18, rng.choice((cloth, vest)), 10)
    body.bar((0, 0, 1.5 * tall), (0.02, 0, 1.74 * tall), 0.1, skin, 10)
    hat = material("hat", rng.choice(((0.9, 0.9, 0.9), (0.9, 0.7, 0.05), (0.03, 0.03, 0.03))))
    body.bar((0.02, 0, 1.66 * tall), (0.02, 0, 1.78 * tall), 0.12, hat, 12)
    return body
