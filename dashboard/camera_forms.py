"""The form of a camera: made from its specification, with a password that is typed once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from starlette.datastructures import FormData

from cameras.specs import CameraSpec, FileSpec, RtspSpec, SyntheticSpec
from dashboard import forms
from dashboard.spec_fields import FormStyle, SpecField, schema_fields
from dashboard.spec_forms import filled_spec
from dashboard.zone_forms import Filled
from safety.config import Spec
from safety.i18n import Translate
from safety.secret_files import secret_reference

SOURCES: Mapping[str, type[Spec]] = {"rtsp": RtspSpec, "file": FileSpec, "synthetic": SyntheticSpec}
"""Every kind of source."""

PASSWORD = "new_password"  # noqa: S105 - the field's name
"""Field of a password that is kept from now on; empty leaves things as they are."""

_CAMERA: TypeAdapter[CameraSpec] = TypeAdapter(CameraSpec)
_NOT_ASKED = {"id", "enabled", "disabled_reason", "source", "calibration"}
_SELDOM = frozenset(CameraSpec.model_fields) - _NOT_ASKED - {"name"}


@cache
def fields_of(kind: str) -> tuple[SpecField, ...]:
    """The fields of a camera with this kind of source, the source's as a group.

    Raises:
        KeyError: There is no such kind.
    """
    source = _style(frozenset({"kind"}), frozenset())
    group = SpecField(
        name="source",
        area="cameras",
        widget="group",
        fields=schema_fields(SOURCES[kind].model_json_schema(), source),
    )
    camera = _style(frozenset(_NOT_ASKED), _SELDOM)
    name, *others = schema_fields(CameraSpec.model_json_schema(), camera)
    return (name, group, *others)


def filled_camera(
    form: FormData,
    translate: Translate,
    *,
    kind: str,
    camera_id: str,
    present: CameraSpec | None,
    data_dir: Path,
) -> Filled[CameraSpec]:
    """The camera in a form; what the form does not ask stays as it is.

    A password that was typed is named by its reference already; the caller keeps it.

    Raises:
        ConfigError: Passwords cannot be kept here.
    """
    if typed_password(form):
        pairs = [(k, v) for k, v in form.multi_items() if k != "source.password"]
        reference = secret_reference(data_dir, secret_name(camera_id))
        form = FormData([*pairs, ("source.password", reference)])
    fixed: dict[str, Any] = {"id": camera_id, "source": {"kind": kind}}
    if present is not None:
        kept = ("enabled", "disabled_reason", "calibration")
        fixed |= {name: getattr(present, name) for name in kept}
    return filled_spec(form, translate, fields_of(kind), _CAMERA, fixed)


def typed_password(form: FormData) -> str:
    """The password that somebody typed, as it is."""
    return forms.secret(form, PASSWORD)[:500]


def secret_name(camera_id: str) -> str:
    """What a camera's password is called among the secrets."""
    return f"camera-{camera_id}"


def _style(not_asked: frozenset[str], seldom: frozenset[str]) -> FormStyle:
    return FormStyle(
        area="cameras", not_asked=not_asked, seldom=seldom, option_texts={}, refers_to={}
    )
