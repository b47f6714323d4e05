"""The programme office: send reports in, or read the folder that the settings name; the result."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from dashboard import forms
from dashboard.access import ManagerOnlyVisit
from dashboard.errors import NotFound, UnsupportedMediaType
from dashboard.pages import redirect, render
from dashboard.programme import (
    MOST_ROWS,
    Pooling,
    funnel_picture,
    pooling_file,
    read_pooling,
)
from dashboard.reports import MEDIA_TYPES
from dashboard.routes.kpi import SVG_POLICY
from dashboard.visit import Visit
from safety.errors import AnjeonError
from safety.i18n import explain
from safety.months import checked_month
from safety.programme.collect import Problem, read_registry, registry_of
from safety.programme.sources import ReportFile, ReportRefused, in_folder, sent_in

router = APIRouter(prefix="/programme", include_in_schema=False)

Result = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Language = Literal["", "ko", "en"]

_SITES = "sites.csv"
_MOST_FILES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the form carried: files by the name that the browser gave, and a list of sites."""

    reports: tuple[tuple[str, bytes], ...]
    sites: bytes
    month: str
    source: str


async def read_sent(request: Request) -> Sent:
    """The form; its size is bounded before it comes here.

    Raises:
        UnsupportedMediaType: It is not a form.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMediaType("web.not_a_form", "send this as an HTML form")
    form = await request.form(max_files=_MOST_FILES, max_fields=10)
    try:
        files = [each for each in form.getlist("reports") if isinstance(each, UploadFile)]
        sites = form.get("sites")
        return Sent(
            reports=tuple([(each.filename or "?", await each.read()) for each in files]),
            sites=await sites.read() if isinstance(sites, UploadFile) else b"",
            month=forms.text(form, "month"),
            source=forms.text(form, "source"),
        )
    finally:
        await form.close()


@router.get("")
def programme_page(visit: ManagerOnlyVisit) -> Response:
    return _page(visit)


@router.post("")
def pool_reports(visit: ManagerOnlyVisit, sent: Annotated[Sent, Depends(read_sent)]) -> Response:
    """Pool what was sent, or the folder; whatever cannot be used is listed beside the result."""
    try:
        month = checked_month(sent.month) if sent.month else ""
        if sent.source == "folder":
            files, problems = _of_folder(visit), list[Problem]()
            registry = _registry_of_folder(visit)
        else:
            files, problems = _of_upload(sent)
            registry = registry_of(sent.sites, _SITES) if sent.sites else None
        name = visit.services.programmes.pool(
            files,
            problems,
            registry=registry,
            month=month,
            source="folder" if sent.source == "folder" else "upload",
            by=visit.actor,
            at=visit.now,
        )
    except AnjeonError as error:
        return _page(visit, problem=error, month=sent.month)
    return redirect(f"/programme/{name}")


@router.get("/{name}")
def result_page(visit: ManagerOnlyVisit, name: Result) -> Response:
    view = read_pooling(name, _result(visit, name), visit.language)
    return render(visit, "programme_result.html", view=view, most_rows=MOST_ROWS)


@router.get("/{name}/funnel.svg")
def funnel(visit: ManagerOnlyVisit, name: Result, lang: Language = "") -> Response:
    """The funnel plot."""
    found = funnel_picture(_result(visit, name), lang or visit.language, visit.services.reports)
    if found is None:
        raise NotFound
    return Response(
        found, media_type="image/svg+xml", headers={"content-security-policy": SVG_POLICY}
    )


@router.get("/{name}/file.{form}")
def result_file(
    visit: ManagerOnlyVisit,
    name: Result,
    form: Literal["pdf", "xlsx", "json"],
    lang: Language = "",
) -> Response:
    """The result as a file to keep."""
    pooling = _result(visit, name)
    called, content = pooling_file(pooling, form, lang or visit.language, visit.services.reports)
    headers = {"content-disposition": f'attachment; filename="{called}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


def _result(visit: Visit, name: str) -> Pooling:
    found = visit.services.programmes.result(name)
    if found is None:
        raise NotFound
    return found


def _of_upload(sent: Sent) -> tuple[list[ReportFile], list[Problem]]:
    files: list[ReportFile] = []
    problems: list[Problem] = []
    for name, data in sent.reports:
        if not data:
            continue
        try:
            files += sent_in(name, data)
        except ReportRefused as error:
            problems.append(Problem(file=str(error.params["file"]), error=error))
    if not files and not problems:
        raise ReportRefused(
            "programme.nothing_sent",
            "choose the sites' signed reports (.json), or a ZIP archive of them",
        )
    return files, problems


def _of_folder(visit: Visit) -> list[ReportFile]:
    folder = visit.services.settings.programme_dir
    if folder is None:
        raise ReportRefused(
            "programme.no_setting",
            "no folder of reports is configured; set ANJEON_PROGRAMME_DIR, or send the files",
        )
    return in_folder(folder)


def _registry_of_folder(visit: Visit) -> dict[str, str] | None:
    folder = visit.services.settings.programme_dir
    listed = None if folder is None else folder / _SITES
    return read_registry(listed) if listed is not None and listed.is_file() else None


def _page(visit: Visit, *, problem: AnjeonError | None = None, month: str = "") -> Response:
    return render(
        visit,
        "programme.html",
        status=422 if problem else 200,
        folder=visit.services.settings.programme_dir,
        month=month,
        problem=explain(problem, visit.language) if problem else "",
    )
