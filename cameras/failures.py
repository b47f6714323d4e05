"""Why a camera cannot be read, in words that say what to do.

``place`` is a host and port or a file, never an address with a password or a query.
"""

import av

from safety.errors import CameraError

_NOT_THERE = (av.error.HTTPNotFoundError, av.error.FileNotFoundError, av.error.PermissionError)


def unauthorized(place: str) -> CameraError:
    """User name or password is wrong."""
    return CameraError(
        "camera.unauthorized",
        "{place} refuses the user name or password; check both, and that the user may view "
        "live video",
        place=place,
    )


def not_found(place: str) -> CameraError:
    """There is no such stream or file."""
    return CameraError(
        "camera.not_found",
        "{place} has no such stream or file, or it may not be read; check the path, for a "
        "camera in its manual or menu",
        place=place,
    )


def not_video(place: str, found: str) -> CameraError:
    """There is something, but no video that can be read."""
    return CameraError(
        "camera.not_video",
        "{place} sends no H.264 or H.265 video ({found}); choose a video stream and one of "
        "these codecs in the camera's menu",
        place=place,
        found=found,
    )


def unreachable(place: str, detail: str) -> CameraError:
    """Nobody answers, or not what a camera would."""
    return CameraError(
        "camera.unreachable",
        "{place} does not answer ({detail}); check address, port, cable, and that RTSP is "
        "switched on",
        place=place,
        detail=detail,
    )


def no_frames(place: str) -> CameraError:
    """It answers and sends nothing."""
    return CameraError(
        "camera.no_frames",
        "{place} answers but sends no pictures; check its frame rate, or restart the camera",
        place=place,
    )


def internal(place: str, detail: str) -> CameraError:
    """The fault is ours."""
    return CameraError(
        "camera.internal",
        "{place} cannot be read because of a fault in Anjeon ({detail}); see the log",
        place=place,
        detail=detail,
    )


def reason_of(error: CameraError) -> str:
    """The last part of the error's key, as it stands in a camera's status."""
    return error.key.rpartition(".")[2]


def from_ffmpeg(error: av.error.FFmpegError, place: str) -> CameraError:
    """What FFmpeg's error means for a camera; its own text may contain the password."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return unauthorized(place)
    if isinstance(error, _NOT_THERE):
        return not_found(place)
    if isinstance(error, av.error.InvalidDataError | av.error.IsADirectoryError):
        return not_video(place, _words(error))
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return unreachable(place, "no answer in time")
    return unreachable(place, _words(error))


def _words(error: av.error.FFmpegError) -> str:
    """FFmpeg's words without the address that ``str(error)`` adds."""
    return error.strerror or type(error).__name__
