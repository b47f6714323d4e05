"""Pictures of finished work: always encoded anew, under a name of ours."""

from pathlib import Path
from typing import Final

from dashboard.errors import NotFound
from dashboard.plan_picture import keep_picture, picture_path
from safety.config import Settings
from safety.store.incident_actions import Photo
from safety.store.incident_tables import CorrectiveAction

_FOLDER: Final = "action-photos"


def keep_photo(settings: Settings, data: bytes) -> Photo:
    """Store an uploaded picture, without what the camera wrote into it (place, owner).

    Raises:
        Unprocessable: It is no PNG or JPEG picture, or too large.
    """
    folder = settings.data_dir / _FOLDER
    checksum = keep_picture(data, folder)
    path = picture_path(folder, checksum)
    return Photo(name=path.name, sha256=checksum, size_bytes=path.stat().st_size)


def photo_path(settings: Settings, action: CorrectiveAction) -> Path:
    """Where an action's picture lies.

    Raises:
        NotFound: It has none (any more).
    """
    folder = (settings.data_dir / _FOLDER).resolve()
    # The name comes from our own record; even a wrong one must not lead out of the folder.
    path = (folder / (action.photo or "")).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise NotFound
    return path
