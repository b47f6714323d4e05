"""A drawn factory room in which one person walks up and down: what the synthetic twin sees."""

import math

import cv2
import numpy as np

from safety.types import Picture

LAP_S = 16.0
"""Seconds after which the walk repeats."""

_WALL = (176, 182, 188)
_FLOOR = (128, 126, 122)
_JOINT = (104, 102, 99)
_MACHINE = (58, 92, 122)
_MARKING = (228, 186, 32)
_SKIN = (214, 170, 140)
_HAIR = (52, 40, 34)
_SHIRT = (62, 84, 150)
_TROUSERS = (44, 46, 58)
_SHOES = (24, 22, 22)
_SHIFT = 4  # binary places of sub-pixel precision in OpenCV's drawing calls


class Room:
    """Draws the room at any moment; the same moment gives the same picture.

    Args:
        width_px, height_px: Size of the pictures.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._width = width_px
        self._height = height_px
        self._empty = self._draw_room()

    def picture(self, moment_s: float) -> Picture:
        """The room ``moment_s`` seconds after the walk began: RGB, (height, width, 3)."""
        picture = self._empty.copy()
        phase = 2 * math.pi * moment_s / LAP_S
        foot = (0.5 - 0.36 * math.cos(phase), 0.80 + 0.08 * math.sin(2 * phase))
        self._draw_person(picture, foot, step=moment_s * 1.7 * math.pi)
        return picture

    def _draw_room(self) -> Picture:
        room = np.empty((self._height, self._width, 3), np.uint8)
        horizon = int(self._height * 0.42)
        light = np.linspace(1.0, 0.82, self._height)[:, None, None]
        room[:horizon], room[horizon:] = _WALL, _FLOOR
        room = (room * light).astype(np.uint8)
        for part in np.linspace(-1.0, 2.0, 19):
            far = self._point(0.5 + (part - 0.5) * 0.45, 0.42)
            cv2.line(room, far, self._point(part, 1.0), _JOINT, 1, cv2.LINE_AA, _SHIFT)
        for depth in (0.46, 0.52, 0.60, 0.71, 0.86):
            ends = self._point(0.0, depth), self._point(1.0, depth)
            cv2.line(room, *ends, _JOINT, 1, cv2.LINE_AA, _SHIFT)
        machine = [(0.60, 0.24), (0.84, 0.24), (0.84, 0.62), (0.60, 0.62)]
        self._fill(room, machine, _MACHINE)
        self._fill(room, [(0.63, 0.29), (0.74, 0.29), (0.74, 0.43), (0.63, 0.43)], _WALL)
        marking = np.array(
            [self._point(*p) for p in [(0.55, 0.64), (0.88, 0.64), (0.97, 0.92), (0.56, 0.92)]]
        )
        thick = max(2, self._height // 120)
        cv2.polylines(room, [marking], True, _MARKING, thick, cv2.LINE_AA, _SHIFT)
        return room

    def _draw_person(self, picture: Picture, foot: tuple[float, float], *, step: float) -> None:
        """A figure 0.42 of the picture high, its limbs swinging with ``step`` (radians)."""
        tall = 0.42
        aspect = self._height / self._width
        x, ground = foot

        def at(across: float, up: float) -> tuple[float, float]:
            return x + across * tall * aspect, ground - up * tall

        swing = 0.13 * math.sin(step)
        hip, shoulder = 0.50, 0.82
        for side, sway in ((-1, swing), (1, -swing)):
            knee = at(side * 0.05 + sway * 0.6, 0.27)
            ankle = at(side * 0.05 + sway, 0.04 + max(0.0, -sway) * 0.3)
            self._limb(picture, [at(side * 0.05, hip), knee, ankle], 0.075, _TROUSERS)
            self._limb(picture, [ankle, (ankle[0] + 0.035 * tall, ankle[1])], 0.05, _SHOES)
            elbow = at(side * 0.15 - sway * 0.4, 0.62)
            hand = at(side * 0.14 - sway, 0.47)
            self._limb(picture, [at(side * 0.11, shoulder - 0.03), elbow], 0.065, _SHIRT)
            self._limb(picture, [elbow, hand], 0.045, _SKIN)
        torso = [at(-0.13, shoulder), at(0.13, shoulder), at(0.09, hip), at(-0.09, hip)]
        self._fill(picture, torso, _SHIRT)
        self._limb(picture, [at(-0.1, shoulder), at(0.1, shoulder)], 0.07, _SHIRT)
        self._limb(picture, [at(0, shoulder), at(0, 0.88)], 0.06, _SKIN)
        radius = int(0.062 * tall * self._height * 2**_SHIFT)
        cv2.circle(picture, self._point(*at(0, 0.93)), radius, _SKIN, -1, cv2.LINE_AA, _SHIFT)
        self._fill(picture, [at(-0.06, 0.95), at(0.06, 0.95), at(0.04, 1), at(-0.04, 1)], _HAIR)

    def _limb(
        self,
        picture: Picture,
        joints: list[tuple[float, float]],
        thickness: float,
        colour: tuple[int, int, int],
    ) -> None:
        points = np.array([self._point(*joint) for joint in joints])
        wide = max(1, round(thickness * 0.42 * self._height))
        cv2.polylines(picture, [points], False, colour, wide, cv2.LINE_AA, _SHIFT)

    def _fill(
        self, picture: Picture, corners: list[tuple[float, float]], colour: tuple[int, int, int]
    ) -> None:
        points = np.array([self._point(*corner) for corner in corners])
        cv2.fillPoly(picture, [points], colour, cv2.LINE_AA, _SHIFT)

    def _point(self, x: float, y: float) -> tuple[int, int]:
        scale = 2**_SHIFT
        return round(x * self._width * scale), round(y * self._height * scale)
