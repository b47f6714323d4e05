"""Who may sign in: add people, change their role, lock them out, give them a link."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from dashboard import forms
from dashboard.access import AdminVisit
from dashboard.errors import Unprocessable
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import explain
from safety.store import accounts, audit, sessions
from safety.store.accounts import Role
from safety.store.refusals import Conflict, Invalid

router = APIRouter(prefix="/users", include_in_schema=False)


@router.get("")
def users_page(visit: AdminVisit) -> Response:
    return _page(visit)


@router.post("")
def add_user(visit: AdminVisit, form: Form) -> Response:
    """Add somebody without a password; the answer shows the link that lets them choose one."""
    login, name = forms.text(form, "login"), forms.text(form, "name")
    role = _role(form)
    try:
        with visit.database.transaction() as session:
            user = accounts.create_user(
                session,
                login=login,
                name=name or login,
                role=role,
                password=None,
                by=visit.actor,
                at=visit.now,
            )
            token = sessions.create_one_time_login(session, user_id=user.id, at=visit.now)
    except (Invalid, Conflict) as error:
        values = {"login": login, "name": name, "role": role.value}
        return _page(visit, status=422, problem=explain(error, visit.language), values=values)
    return _page(visit, link=_link(visit, token), link_for=user.name)


@router.post("/{user_id}/role")
def change_role(visit: AdminVisit, user_id: str, form: Form) -> Response:
    role = _role(form)
    try:
        with visit.database.transaction() as session:
            accounts.set_role(session, user_id, role, by=visit.actor, at=visit.now)
    except Conflict as error:
        return _page(visit, status=409, problem=explain(error, visit.language))
    return redirect("/users?done=saved")


@router.post("/{user_id}/disabled")
def change_disabled(visit: AdminVisit, user_id: str, form: Form) -> Response:
    disabled = forms.text(form, "disabled") == "yes"
    try:
        with visit.database.transaction() as session:
            accounts.set_disabled(session, user_id, disabled, by=visit.actor, at=visit.now)
    except Conflict as error:
        return _page(visit, status=409, problem=explain(error, visit.language))
    return redirect("/users?done=saved")


@router.post("/{user_id}/link")
def one_time_link(visit: AdminVisit, user_id: str) -> Response:
    with visit.database.transaction() as session:
        user = accounts.get(session, user_id)
        token = sessions.create_one_time_login(session, user_id=user_id, at=visit.now)
        audit.record(
            session, actor=visit.actor, action="account.link", subject=user_id, at=visit.now
        )
    return _page(visit, link=_link(visit, token), link_for=user.name)


def _role(form: FormData) -> Role:
    wanted = forms.text(form, "role")
    if wanted not in set(Role):
        raise Unprocessable(
            "account.role", "a role is one of {roles}", roles=", ".join(role.value for role in Role)
        )
    return Role(wanted)


def _link(visit: Visit, token: str) -> str:
    base = str(visit.request.base_url).rstrip("/")
    return f"{base}/login/once?token={token}"


def _page(
    visit: Visit,
    *,
    status: int = 200,
    problem: str = "",
    values: Mapping[str, str] | None = None,
    link: str = "",
    link_for: str = "",
) -> Response:
    with visit.database.reading() as session:
        users = accounts.list_users(session)
    return render(
        visit,
        "users.html",
        status=status,
        users=users,
        roles=list(Role),
        problem=problem,
        values=values or {"login": "", "name": "", "role": Role.OPERATOR.value},
        link=link,
        link_for=link_for,
    )
