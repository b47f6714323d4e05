"""API: the policy, contacts, duty, conversations, and answering many alerts at once."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from alerts.policy_people import read_calendar
from alerts.policy_spec import PolicySpec
from dashboard import inbox
from dashboard.access import ManagerVisit, OperatorVisit, ViewerVisit
from dashboard.alert_timeline import TimelineEntry, timeline
from dashboard.api_description import ADDED
from dashboard.errors import Unprocessable
from dashboard.etags import IfMatch, check_match, require_match, spec_etag, version_etag
from dashboard.once import OnlyOnce
from dashboard.paging import Page, Paged
from dashboard.policy_preview import facts_for, preview, site_context
from dashboard.policy_schemas import (
    AcknowledgedInfo,
    ContactBody,
    ContactInfo,
    DutyChangeBody,
    DutyChangeInfo,
    DutyInfo,
    ListedAlerts,
    PlannedStep,
    PolicyPreview,
    SnoozeBody,
    SnoozeInfo,
    TimelineItem,
    ToldBy,
    contact_info,
)
from safety.config import Slug
from safety.site import edit
from safety.site.apply import load_site
from safety.store import alerts, contacts, conversations
from safety.store.contacts import ContactValues
from safety.types import Severity

router = APIRouter(prefix="/api/v1")

ContactId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
_YEARS = (2000, 2200)

Moment = Annotated[datetime | None, Query(description="With its time zone; now if not given.")]


@router.get("/policy", tags=["policy"])
def get_policy(visit: ViewerVisit, response: Response) -> PolicySpec:
    """Who is told of which alert, and when."""
    with visit.database.reading() as session:
        policy = load_site(session).spec.policy
    response.headers["etag"] = spec_etag(policy)
    return policy


@router.put("/policy", tags=["policy"])
def put_policy(
    visit: ManagerVisit, policy: PolicySpec, response: Response, if_match: IfMatch = None
) -> PolicySpec:
    """Replace the policy; it holds for conversations that are open, too."""
    with visit.database.transaction() as session:
        require_match(if_match, spec_etag(load_site(session).spec.policy))
        edit.put_policy(session, policy, **visit.signed)
    visit.hub.nudge("config")
    response.headers["etag"] = spec_etag(policy)
    return policy


@router.get("/policy/preview", tags=["policy"])
def preview_policy(
    visit: ManagerVisit,
    kind: Slug,
    severity: Severity = Severity.DANGER,
    zone: Slug | None = None,
    at: Moment = None,
) -> PolicyPreview:
    """What would happen if such an alert came: the ladder, with persons."""
    with visit.database.reading() as session:
        site = load_site(session).spec
        facts = facts_for(site, kind=kind, severity=severity, zone=zone or "")
        found = preview(session, site, facts, _utc(at, visit.now), visit.translate)
    return PolicyPreview(
        route=found.route or None,
        steps=[
            PlannedStep(
                at=step.at,
                after_s=step.after_s,
                tells=[ToldBy(channel=channel, people=people) for channel, people in step.tells],
                unmanned=step.unmanned,
            )
            for step in found.steps
        ],
    )


@router.get("/contacts", tags=["contacts"])
def list_contacts(visit: ManagerVisit, paging: Paged) -> Page[ContactInfo]:
    """Everybody who can be told, by name."""
    with visit.database.reading() as session:
        rows = contacts.list_contacts(session)
    return paging.cut(rows, contact_info)


@router.get("/contacts/{contact_id}", tags=["contacts"])
def get_contact(visit: ManagerVisit, contact_id: ContactId, response: Response) -> ContactInfo:
    """One contact."""
    with visit.database.reading() as session:
        row = contacts.get(session, contact_id)
    response.headers["etag"] = version_etag(row.version)
    return contact_info(row)


@router.put("/contacts/{contact_id}", responses=ADDED, tags=["contacts"])
def put_contact(
    visit: ManagerVisit,
    contact_id: ContactId,
    body: ContactBody,
    response: Response,
    if_match: IfMatch = None,
) -> ContactInfo:
    """Add a contact (201), or replace the one that If-Match names (200)."""
    values = ContactValues(
        name=body.name,
        role=body.role,
        phone=body.phone,
        email=body.email,
        language=body.language,
        channels=tuple(body.channels),
        shifts=tuple(body.shifts),
    )
    with visit.database.transaction() as session:
        present = next((c for c in contacts.list_contacts(session) if c.id == contact_id), None)
        if present is not None:
            require_match(if_match, version_etag(present.version))
        row = contacts.save(session, contact_id, values, **visit.signed)
    response.status_code = 200 if present is not None else 201
    response.headers["etag"] = version_etag(row.version)
    return contact_info(row)


@router.delete("/contacts/{contact_id}", status_code=204, tags=["contacts"])
def delete_contact(visit: ManagerVisit, contact_id: ContactId, if_match: IfMatch = None) -> None:
    """Forget a person, with the changes of their duty."""
    with visit.database.transaction() as session:
        present = contacts.get(session, contact_id)
        require_match(if_match, version_etag(present.version))
        contacts.remove(session, contact_id, **visit.signed)


@router.get("/duty", tags=["contacts"])
def get_duty(visit: ManagerVisit, at: Moment = None) -> DutyInfo:
    """Who is on duty at a moment, which shifts are on, and the changes to come."""
    moment = _utc(at, visit.now)
    with visit.database.reading() as session:
        site = site_context(load_site(session).spec)
        calendar = read_calendar(session, site, moment)
        changes = contacts.changes(session, since=(moment - timedelta(days=1)).date())
    return DutyInfo(
        at=moment,
        shifts=sorted(calendar.shifts_on(moment.timestamp())),
        on_duty=[person.id for person in calendar.on_duty(moment.timestamp())],
        changes=[DutyChangeInfo.model_validate(row.model_dump()) for row in changes],
    )


@router.post("/duty/changes", status_code=201, tags=["contacts"])
def add_duty_change(visit: ManagerVisit, body: DutyChangeBody, once: OnlyOnce) -> DutyChangeInfo:
    """Somebody is away, or on duty all day, on these days."""
    made = once.make(
        visit,
        lambda session: contacts.add_change(session, **body.model_dump(), **visit.signed).id,
    )
    with visit.database.reading() as session:
        row = contacts.get_change(session, made)
    return DutyChangeInfo.model_validate(row.model_dump())


@router.delete("/duty/changes/{change_id}", status_code=204, tags=["contacts"])
def delete_duty_change(visit: ManagerVisit, change_id: str) -> None:
    """Take a change of duty back."""
    with visit.database.transaction() as session:
        contacts.remove_change(session, change_id, **visit.signed)


@router.post("/alerts/acknowledge", tags=["alerts"])
def acknowledge_listed(visit: OperatorVisit, listed: ListedAlerts) -> AcknowledgedInfo:
    """Acknowledge all of these; those that are answered already, or unknown, are passed over."""
    with visit.database.transaction() as session:
        changed = alerts.acknowledge_listed(session, listed.ids, **visit.signed)
    visit.hub.nudge("alerts")
    return AcknowledgedInfo(acknowledged=changed)


@router.post("/alerts/{alert_id}/snooze", tags=["alerts"])
def snooze_alert(
    visit: OperatorVisit,
    alert_id: str,
    body: SnoozeBody,
    response: Response,
    if_match: IfMatch = None,
) -> SnoozeInfo:
    """Let the reminders of an alert wait; sirens and new alerts do not."""
    with visit.database.transaction() as session:
        present = alerts.get(session, alert_id)
        check_match(if_match, version_etag(present.version))
        row = conversations.snooze(session, alert_id, minutes=body.minutes, **visit.signed)
    visit.hub.nudge("alerts")
    response.headers["etag"] = version_etag(present.version)
    return SnoozeInfo(alert_id=alert_id, snoozed_until=row.snoozed_until, by=visit.actor)


@router.get("/alerts/{alert_id}/timeline", tags=["alerts"])
def get_timeline(visit: ViewerVisit, alert_id: str, paging: Paged) -> Page[TimelineItem]:
    """What happened with an alert: who was told of what, when, and what came of it."""
    with visit.database.reading() as session:
        view = inbox.alert_view(session, visit.translate, alert_id)
        entries = timeline(session, visit.translate, view)

    def item(numbered: tuple[int, TimelineEntry]) -> TimelineItem:
        _, entry = numbered
        return TimelineItem(
            at=entry.at,
            event=entry.key.removeprefix("timeline."),
            text=visit.translate(entry.key, **entry.params),
            people=entry.people or None,
        )

    return paging.cut(list(enumerate(entries)), item, key=lambda numbered: str(numbered[0]))


def _utc(at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return now
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise Unprocessable("policy.moment", "the moment must lie between 2000 and 2200")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
