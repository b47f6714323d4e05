"""API: the whole site as YAML, what it is, tokens, and the API's own description."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.access import AdminConfigureVisit, ManagerVisit, PersonVisit, ViewerVisit
from dashboard.api_description import body_of, files
from dashboard.errors import UnsupportedMediaType
from dashboard.etags import IfMatch, require_match, version_etag
from dashboard.paging import Page, Paged
from dashboard.routes.account import allowed_scopes, own_token
from dashboard.schemas import ChangesInfo, MadeToken, NewToken, SiteInfo, TokenInfo
from dashboard.visit import Visit
from safety import __version__
from safety.site.apply import export_site, store_site
from safety.site.document import parse_site, write_site
from safety.store import accounts, configuration, tokens
from safety.store.configuration import Changes
from safety.store.refusals import Invalid
from safety.store.tables import ApiToken

router = APIRouter(prefix="/api/v1")

YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})


@router.get("/openapi.json", include_in_schema=False)
def openapi(visit: ViewerVisit) -> Response:
    """The API's description, for tools."""
    return JSONResponse(visit.request.app.openapi())


@router.get("/site", tags=["site"])
def get_site(visit: ViewerVisit, response: Response) -> SiteInfo:
    """The site and the software; the ETag is the configuration's."""
    with visit.database.reading() as session:
        revision = configuration.revision(session)
    response.headers["etag"] = version_etag(revision)
    return SiteInfo(
        name=visit.site.name,
        timezone=visit.site.timezone,
        language=visit.site.language,
        config_revision=revision,
        version=__version__,
    )


@router.get(
    "/site/export", tags=["site"], response_class=Response, responses=files("application/yaml")
)
def export(visit: ManagerVisit) -> Response:
    """The whole configuration as ``site.yaml``; secrets are named, never shown."""
    text = write_site(export_site(visit.database))
    headers = {"content-disposition": 'attachment; filename="site.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


@router.post("/site/apply", tags=["site"], openapi_extra=body_of("application/yaml"))
async def apply(
    visit: AdminConfigureVisit, request: Request, response: Response, if_match: IfMatch = None
) -> ChangesInfo:
    """Make a ``site.yaml`` the configuration; what it does not mention is removed.

    ``If-Match`` names the ETag of ``/site``, or ``*`` where the file alone says what holds.
    """
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type not in YAML_TYPES:
        raise UnsupportedMediaType("web.not_yaml", "send YAML, with Content-Type application/yaml")
    body = await request.body()
    changes = await run_in_threadpool(_apply, visit, body, if_match)
    visit.hub.nudge("config")
    response.headers["etag"] = version_etag(changes.revision)
    return ChangesInfo(
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        site=changes.site,
        revision=changes.revision,
    )


def _apply(visit: Visit, body: bytes, if_match: str | None) -> Changes:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("site.encoding", "is not UTF-8 text; save it as UTF-8") from None
    spec = parse_site(text)
    with visit.database.transaction() as session:
        revision = configuration.revision(session)
        require_match(if_match, version_etag(revision))
        return store_site(session, spec, expected_revision=revision, **visit.signed)


@router.get("/tokens", tags=["tokens"])
def list_tokens(visit: PersonVisit, paging: Paged) -> Page[TokenInfo]:
    """One's own tokens, newest first; a signed-in browser only."""
    identity = visit.person
    with visit.database.reading() as session:
        rows = tokens.list_tokens(session, user_id=identity.user_id)
    return paging.cut(rows, _token)


@router.post("/tokens", tags=["tokens"], status_code=201)
def create_token(visit: PersonVisit, wanted: NewToken) -> MadeToken:
    """Make a token with scopes that one's own role allows; a signed-in browser only."""
    identity = visit.person
    if not set(wanted.scopes) <= {scope.value for scope in allowed_scopes(identity)}:
        raise Invalid("token.role", "your role does not allow these scopes")
    expires_at = visit.now + timedelta(days=wanted.days) if wanted.days is not None else None
    with visit.database.transaction() as session:
        made, row = tokens.create(
            session,
            user=accounts.get(session, identity.user_id),
            name=wanted.name,
            scopes=list(wanted.scopes),
            at=visit.now,
            expires_at=expires_at,
        )
        return MadeToken(token=made, **_token(row).model_dump())


@router.delete("/tokens/{token_id}", tags=["tokens"], status_code=204)
def revoke_token(visit: PersonVisit, token_id: str) -> None:
    """Make a token of one's own stop working; a signed-in browser only."""
    with visit.database.transaction() as session:
        own_token(session, token_id, visit.person.user_id)
        tokens.revoke(session, token_id, **visit.signed)


def _token(row: ApiToken) -> TokenInfo:
    return TokenInfo(
        id=row.id,
        name=row.name,
        scopes=row.scopes.split(),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
