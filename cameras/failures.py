"""Why a camera cannot be read, in words that say what to do."""

from typing import Literal

import av

from safety.errors import CameraError

Reason = Literal["unauthorized", "not_found", "not_video", "unreachable", "no_frames", "internal"]

_MESSAGES: dict[Reason, str] = {
    "unauthorized": (
        "{place} refuses the user name or password; check both, and that the user may view "
        "live video"
    ),
    "not_found": (
        "{place} has no such stream or file, or it may not be read; check the path, for a "
        "camera in its manual or menu"
    ),
    "not_video": (
        "{place} sends no H.264 or H.265 video ({found}); choose a video stream and one of "
        "these codecs in the camera's menu"
    ),
    "unreachable": (
        "{place} does not answer ({detail}); check address, port, cable, and that RTSP is "
        "switched on"
    ),
    "no_frames": (
        "{place} answers but sends no pictures; check its frame rate, or restart the camera"
    ),
    "internal": "{place} cannot be read because of a fault in Anjeon ({detail}); see the log",
}

_NOT_THERE = (av.error.HTTPNotFoundError, av.error.FileNotFoundError, av.error.PermissionError)


def camera_error(reason: Reason, place: str, **params: object) -> CameraError:
    """The error ``camera.<reason>``.

    Args:
        place: Host and port, or file; never an address with a password or a query.
        params: ``found`` for ``not_video``, ``detail`` for ``unreachable`` and ``internal``.
    """
    return CameraError(f"camera.{reason}", _MESSAGES[reason], place=place, **params)


def reason_of(error: CameraError) -> str:
    """The last part of the error's key, as it stands in a camera's status."""
    return error.key.rpartition(".")[2]


def from_ffmpeg(error: av.error.FFmpegError, place: str) -> CameraError:
    """What FFmpeg's error means for a camera; its own text may contain the password."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return camera_error("unauthorized", place)
    if isinstance(error, _NOT_THERE):
        return camera_error("not_found", place)
    if isinstance(error, av.error.InvalidDataError | av.error.IsADirectoryError):
        return camera_error("not_video", place, found=error.strerror)
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return camera_error("unreachable", place, detail="no answer in time")
    return camera_error("unreachable", place, detail=error.strerror)
