"""Forms with a file in them, and bodies that are one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from dashboard.errors import UnsupportedMediaType

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A form, and the file that came with it.

    Attributes:
        data: Empty if none was chosen.
        name: As the browser says; for people only, never a path.
    """

    form: FormData
    data: bytes
    name: str


async def read_upload(request: Request) -> Upload:
    """The fields of the form and the file ``file``; bodies are bounded.

    Raises:
        UnsupportedMediaType: It is not a form.
    """
    if not request.headers.get("content-type", "").startswith(_FORM_TYPES):
        raise UnsupportedMediaType("web.not_a_form", "send this as an HTML form")
    form = await request.form(max_files=1, max_fields=50)
    try:
        file = form.get("file")
        data = await file.read() if isinstance(file, UploadFile) else b""
        name = (file.filename or "") if isinstance(file, UploadFile) else ""
    finally:
        await form.close()
    return Upload(form=form, data=data, name=name)


FileForm = Annotated[Upload, Depends(read_upload)]
