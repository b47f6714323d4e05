"""The audit trail as a chain of hashes: what was changed, deleted or slipped in is found.

Entries are linked when their transaction commits, one transaction at a time: each locks the one
row of ``audit_chain`` as the last thing it does, so that links wait for nobody who waits for them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, inspect, text
from sqlmodel import Session, col, delete, select

from safety.store.audit_hash import GENESIS, entry_hash
from safety.store.tables import Audit, AuditChain
from safety.store.upsert import insert_new

_UNLINKED = "anjeon_audit_unlinked"
_PAGE = 1000

Fault = Literal["changed", "missing", "unlinked", "beginning", "end", "head"]
"""What is wrong at a place of the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest link: whoever notes it elsewhere can show later that nothing before changed."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        seq: Where in the chain; of an entry outside the chain, its row's number.
    """

    fault: Fault
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What going through the whole chain has shown.

    Attributes:
        head: The newest link that was looked at.
        entries: How many entries were looked at.
        since: Time of the oldest entry that is kept.
    """

    head: Head
    entries: int
    since: datetime | None
    findings: tuple[Finding, ...]


def remember(session: Session, entry: Audit) -> None:
    """Have an entry linked when its transaction ends."""
    session.info.setdefault(_UNLINKED, []).append(entry)


def link(session: Session) -> None:
    """Link the entries of this transaction; nothing but the commit may come after it."""
    session.flush()
    entries: Sequence[Audit] = session.info.pop(_UNLINKED, ())
    # Those of a savepoint that was rolled back are no rows any more.
    kept = [entry for entry in entries if inspect(entry).persistent]
    if not kept:
        return
    chain = _locked(session)
    for entry in kept:
        entry.seq, entry.prev_hash = chain.seq + 1, chain.hash
        entry.hash = _hash_of(entry)
        chain.seq, chain.hash = entry.seq, entry.hash
    session.flush()


def head(session: Session) -> Head:
    """The newest link; of an empty chain, what its first one will follow."""
    chain = session.get(AuditChain, 1)
    return Head(seq=chain.seq, hash=chain.hash) if chain else Head(seq=0, hash=GENESIS)


def beginning(session: Session) -> int:
    """Place of the last entry that is not kept any more; 0 while everything is."""
    chain = session.get(AuditChain, 1)
    return chain.first_seq if chain else 0


def verify(session: Session, *, noted: Head | None = None) -> Verification:
    """Go through the whole chain, oldest first.

    Args:
        session: A transaction that has read nothing yet: it sees one state of the record.
        noted: A head that somebody noted: the chain must still hold it.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    chain = session.get(AuditChain, 1) or AuditChain()
    expected = Head(seq=chain.first_seq, hash=chain.first_hash)
    findings: list[Finding] = []
    if not _beginning_is_on_record(session, expected):
        findings.append(Finding(fault="beginning", seq=expected.seq))
    entries, since = 0, None
    seen = noted is None or noted == expected or noted.seq < expected.seq
    for entry in _entries(session):
        entries, since = entries + 1, since or entry.at
        findings += _faults(entry, expected)
        expected = Head(seq=entry.seq or 0, hash=entry.hash or "")
        seen = seen or expected == noted
    if expected != Head(seq=chain.seq, hash=chain.hash):
        findings.append(Finding(fault="end", seq=expected.seq))
    if noted is not None and not seen:
        findings.append(Finding(fault="head", seq=noted.seq))
    outside = select(Audit.id).where(col(Audit.seq).is_(None)).order_by(col(Audit.id))
    findings += [Finding(fault="unlinked", seq=number or 0) for number in session.exec(outside)]
    return Verification(head=expected, entries=entries, since=since, findings=tuple(findings))


def prune(session: Session, *, before: datetime) -> Head | None:
    """Delete the oldest entries, up to the first that is not older; the chain begins after them.

    Returns:
        The last link that was deleted, for the entry which must say so; None: nothing was.
    """
    chain = _locked(session)
    first_kept = session.exec(
        select(func.min(Audit.seq)).where(col(Audit.at) >= before, col(Audit.seq).is_not(None))
    ).one()
    # The newest entry always stays: the chain needs an end.
    last = min(chain.seq, first_kept or chain.seq) - 1
    row = session.exec(select(Audit).where(Audit.seq == last)).first()
    if row is None or row.hash is None:
        return None
    session.exec(delete(Audit).where(col(Audit.seq) <= last))
    chain.first_seq, chain.first_hash = last, row.hash
    session.flush()
    return Head(seq=last, hash=chain.first_hash)


def _locked(session: Session) -> AuditChain:
    chain = session.get(AuditChain, 1, with_for_update=True, populate_existing=True)
    if chain is None:
        newest = session.exec(
            select(Audit).where(col(Audit.seq).is_not(None)).order_by(col(Audit.seq).desc())
        ).first()
        row = AuditChain()
        if newest is not None:
            row = AuditChain(seq=newest.seq or 0, hash=newest.hash or GENESIS)
        insert_new(session, row)
        chain = session.get_one(AuditChain, 1, with_for_update=True, populate_existing=True)
    return chain


def _beginning_is_on_record(session: Session, first: Head) -> bool:
    """Whether an entry within the chain says that what came before was deleted."""
    if first.seq == 0:
        return first.hash == GENESIS
    query = select(Audit).where(Audit.action == "audit.prune").order_by(col(Audit.seq).desc())
    said = session.exec(query).first()
    return said is not None and said.detail.get("last") == str(first)


def _entries(session: Session) -> Iterator[Audit]:
    last = 0
    while True:
        query = select(Audit).where(col(Audit.seq) > last).order_by(col(Audit.seq)).limit(_PAGE)
        page = session.exec(query).all()
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1].seq or 0
        session.expunge_all()


def _faults(entry: Audit, before: Head) -> Iterator[Finding]:
    seq = entry.seq or 0
    if seq != before.seq + 1:
        yield Finding(fault="missing", seq=before.seq + 1)
    elif entry.prev_hash != before.hash or entry.hash != _hash_of(entry):
        yield Finding(fault="changed", seq=seq)


def _hash_of(entry: Audit) -> str:
    return entry_hash(
        entry.prev_hash or "",
        seq=entry.seq or 0,
        entry_id=entry.id or 0,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
    )
