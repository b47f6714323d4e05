"""Who may do what: every route names one of these guards, and a test looks that it does.

A guard answers with the ``Visit``. It accepts a signed-in browser that has the role, or an
API token that has the scope, and refuses forged requests.
"""

from typing import Annotated

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from dashboard import sessions
from dashboard.csrf import SAFE_METHODS, check_origin, check_token
from dashboard.errors import Forbidden, NotSignedIn
from dashboard.visit import Identity, Scope, Visit, services_of
from safety.store.accounts import Role

PASSWORD_PATHS = frozenset({"/password", "/logout", "/language", "/theme"})
"""All that somebody may reach who has to choose a password first."""


class Guard:
    """Lets people of a role in, and tokens of a scope.

    Args:
        role: The least role a person needs; None lets everybody in, signed in or not.
        scope: The scope a token needs; None lets no token in.
    """

    def __init__(self, role: Role | None, scope: Scope | None = None) -> None:
        self.role = role
        self.scope = scope

    async def __call__(self, request: Request) -> Visit:
        """The visit, if it is allowed.

        Raises:
            NotSignedIn: Nobody, or an unknown token.
            Forbidden: Not allowed, or forged.
        """
        if request.method not in SAFE_METHODS:
            check_origin(request)
        services = services_of(request)
        identity, site = await run_in_threadpool(sessions.recognise, services, request)
        if self.role is not None:
            self._require(identity, request)
        if identity is not None and identity.session_id and request.method not in SAFE_METHODS:
            await check_token(request, identity.csrf_token)
        return Visit(request=request, services=services, site=site, identity=identity)

    def _require(self, identity: Identity | None, request: Request) -> None:
        if identity is None:
            raise NotSignedIn
        if identity.must_change_password and request.url.path not in PASSWORD_PATHS:
            raise Forbidden("web.password_first", "choose a password first")
        has_role = identity.role.includes(self.role or Role.VIEWER)
        # A token acts for its maker: it can never do what the maker may no longer do.
        has_scope = identity.scopes is None or self.scope in identity.scopes
        if not (has_role and has_scope):
            raise Forbidden(
                "web.not_allowed", "your role or token does not allow this; ask an administrator"
            )


EVERYBODY = Guard(None)
VIEWER = Guard(Role.VIEWER, Scope.READ)
OPERATOR = Guard(Role.OPERATOR, Scope.ACKNOWLEDGE)
MANAGER = Guard(Role.MANAGER, Scope.CONFIGURE)
MANAGER_READ = Guard(Role.MANAGER, Scope.READ)
"""What concerns persons' health: not for everybody who may look."""
MANAGER_ONLY = Guard(Role.MANAGER)
ADMIN = Guard(Role.ADMIN)
ADMIN_CONFIGURE = Guard(Role.ADMIN, Scope.CONFIGURE)
PERSON = Guard(Role.VIEWER)
"""Any signed-in person, but no token: one's own account."""

Public = Annotated[Visit, Depends(EVERYBODY)]
ViewerVisit = Annotated[Visit, Depends(VIEWER)]
OperatorVisit = Annotated[Visit, Depends(OPERATOR)]
ManagerVisit = Annotated[Visit, Depends(MANAGER)]
ManagerReadVisit = Annotated[Visit, Depends(MANAGER_READ)]
ManagerOnlyVisit = Annotated[Visit, Depends(MANAGER_ONLY)]
AdminVisit = Annotated[Visit, Depends(ADMIN)]
AdminConfigureVisit = Annotated[Visit, Depends(ADMIN_CONFIGURE)]
PersonVisit = Annotated[Visit, Depends(PERSON)]
