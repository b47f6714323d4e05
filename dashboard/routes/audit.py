"""Who did what, when."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard.access import ManagerOnlyVisit
from dashboard.pages import redirect, render
from safety.evidence.verification import verify_and_record
from safety.i18n import catalogue
from safety.store import accounts, audit, audit_chain, evidence

router = APIRouter(prefix="/audit", include_in_schema=False)

PAGE_SIZE = 50


@router.get("")
def audit_page(
    visit: ManagerOnlyVisit, actor: str = "", before: int | None = None, files: bool = False
) -> Response:
    """What people did, newest first; ``files``: every file of evidence with its hashes, too."""
    with visit.database.reading() as session:
        logins = {user.id: user.login for user in accounts.list_users(session)}
        verified = audit.newest(session, actions=("audit.verify",), subject="audit")
        head = audit_chain.head(session)
        rows = audit.list_entries(
            session,
            actor=actor or None,
            without=() if files else (evidence.STORED,),
            before=before,
            limit=PAGE_SIZE + 1,
        )
    shown = rows[:PAGE_SIZE]
    return render(
        visit,
        "audit.html",
        entries=shown,
        verified=verified,
        head=head,
        actor=actor,
        files=files,
        logins=logins,
        next_before=shown[-1].id if len(rows) > PAGE_SIZE else None,
        known=catalogue(visit.language),
    )


@router.post("/verify")
def verify(visit: ManagerOnlyVisit) -> Response:
    verify_and_record(visit.database, by=visit.actor, at=visit.now)
    return redirect("/audit")
