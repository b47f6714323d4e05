"""One's own account: name, language, password, API tokens."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from alerts.channels.webpush_crypto import our_key, public_text
from dashboard import forms
from dashboard.access import PersonVisit
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.visit import LANGUAGE_COOKIE, Identity, Scope, Visit
from safety.i18n import explain, known_language
from safety.store import accounts, configuration, passwords, tokens
from safety.store.refusals import Invalid, NotFound
from safety.store.tables import ApiToken

router = APIRouter(prefix="/account", include_in_schema=False)

_LIFETIMES = {"30": 30, "365": 365, "never": None}


@router.get("")
def account_page(visit: PersonVisit) -> Response:
    return _page(visit)


@router.post("/profile")
def change_profile(visit: PersonVisit, form: Form) -> Response:
    identity = visit.person
    language = known_language(forms.text(form, "language"))
    name = forms.text(form, "name")
    try:
        with visit.database.transaction() as session:
            accounts.set_profile(
                session,
                identity.user_id,
                name=name,
                language=language,
                by=identity.login,
                at=visit.now,
            )
    except Invalid as error:
        return _page(visit, status=422, problems={"name": explain(error, visit.language)})
    response = redirect("/account?done=saved")
    if language is None:
        response.delete_cookie(LANGUAGE_COOKIE, path="/")
    return response


@router.post("/password")
def change_password(visit: PersonVisit, form: Form) -> Response:
    identity = visit.person
    new = forms.secret(form, "new")
    with visit.database.reading() as session:
        known = accounts.get(session, identity.user_id).password_hash
    if not passwords.matches(known, forms.secret(form, "current")):
        problems = {"current": visit.translate("password.current_wrong")}
        return _page(visit, status=422, problems=problems)
    if new != forms.secret(form, "again"):
        return _page(visit, status=422, problems={"again": visit.translate("password.differ")})
    try:
        with visit.database.transaction() as session:
            accounts.set_password(
                session,
                identity.user_id,
                new,
                by=identity.login,
                at=visit.now,
                keep_session=identity.session_id,
            )
    except Invalid as error:
        return _page(visit, status=422, problems={"new": explain(error, visit.language)})
    return redirect("/account?done=password_changed")


@router.post("/tokens")
def create_token(visit: PersonVisit, form: Form) -> Response:
    identity = visit.person
    chosen = [scope for scope in allowed_scopes(identity) if scope in forms.texts(form, "scope")]
    days = _LIFETIMES.get(forms.text(form, "lifetime"), 30)
    expires_at = visit.now + timedelta(days=days) if days is not None else None
    try:
        with visit.database.transaction() as session:
            made, _ = tokens.create(
                session,
                user=accounts.get(session, identity.user_id),
                name=forms.text(form, "name"),
                scopes=[scope.value for scope in chosen],
                at=visit.now,
                expires_at=expires_at,
            )
    except Invalid as error:
        return _page(visit, status=422, problems={"token": explain(error, visit.language)})
    return _page(visit, made=made)


@router.post("/tokens/{token_id}/revoke")
def revoke_token(visit: PersonVisit, token_id: str) -> Response:
    identity = visit.person
    with visit.database.transaction() as session:
        own_token(session, token_id, identity.user_id)
        tokens.revoke(session, token_id, by=identity.login, at=visit.now)
    return redirect("/account?done=deleted")


def own_token(session: Session, token_id: str, user_id: str) -> ApiToken:
    """A token of this person.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    row = session.get(ApiToken, token_id)
    if row is None or row.user_id != user_id:
        raise NotFound("token", token_id)
    return row


def _page(
    visit: Visit,
    *,
    status: int = 200,
    problems: Mapping[str, str] | None = None,
    made: str = "",
) -> Response:
    identity = visit.person
    with visit.database.reading() as session:
        rows = tokens.list_tokens(session, user_id=identity.user_id)
        kinds = {spec["kind"] for spec in configuration.load(session).channels}
    notified = "webpush" in kinds
    return render(
        visit,
        "account.html",
        status=status,
        problems=dict(problems or {}),
        tokens=rows,
        made=made,
        scopes=allowed_scopes(identity),
        lifetimes=list(_LIFETIMES),
        push_key=public_text(our_key(visit.services.settings.data_dir)) if notified else "",
    )


def allowed_scopes(identity: Identity) -> list[Scope]:
    """The scopes that somebody of this role may hand to a program."""
    least = {
        Scope.READ: accounts.Role.VIEWER,
        Scope.ACKNOWLEDGE: accounts.Role.OPERATOR,
        Scope.CONFIGURE: accounts.Role.MANAGER,
    }
    return [scope for scope, role in least.items() if identity.role.includes(role)]
