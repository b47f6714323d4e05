"""Web push: this browser is notified of alerts, or no more."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms
from dashboard.access import PersonVisit
from dashboard.forms import Form
from safety.store import push

router = APIRouter(prefix="/account/push", include_in_schema=False)

_LONGEST_ADDRESS = 1000


@router.post("")
def subscribe(visit: PersonVisit, form: Form) -> Response:
    with visit.database.transaction() as session:
        push.subscribe(
            session,
            user_id=visit.person.user_id,
            endpoint=forms.text(form, "endpoint", limit=_LONGEST_ADDRESS + 1),
            p256dh=forms.text(form, "p256dh"),
            auth=forms.text(form, "auth"),
            by=visit.actor,
            at=visit.now,
        )
    return Response(status_code=204)


@router.post("/remove")
def unsubscribe(visit: PersonVisit, form: Form) -> Response:
    with visit.database.transaction() as session:
        push.unsubscribe(
            session,
            user_id=visit.person.user_id,
            endpoint=forms.text(form, "endpoint", limit=_LONGEST_ADDRESS + 1),
            by=visit.actor,
            at=visit.now,
        )
    return Response(status_code=204)
