"""Sealing the audit log: every deed gets its link in its school's chain, given out under one lock.

Deeds commit in any order, so the chain has numbers of its own; work is found by the absence of a seal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func
from sqlmodel import Session, col, select

from billing.audit.chain import GENESIS, Value, link
from billing.audit.tables import AuditEntry, AuditSeal

_BATCH = 1000


def seal_audit(session: Session, school_id: UUID, now: datetime, limit: int = 500) -> int:
    """Seal up to ``limit`` deeds of a school that have no seal yet; return how many were."""
    session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"seal audit {school_id}", 0)))).one()
    head = session.exec(
        select(AuditSeal).where(AuditSeal.school_id == school_id).order_by(col(AuditSeal.chain_seq).desc()).limit(1),
    ).first()
    number, previous = (head.chain_seq, head.digest) if head else (0, GENESIS)
    for entry in _unsealed(session, school_id, limit):
        number += 1
        digest = link(previous, audit_facts(entry))
        session.add(
            AuditSeal(
                school_id=school_id,
                chain_seq=number,
                audit_id=_key(entry),
                previous=previous,
                digest=digest,
                sealed_at=now,
            ),
        )
        previous = digest
    session.flush()
    return number - (head.chain_seq if head else 0)


def _unsealed(session: Session, school_id: UUID, limit: int) -> Sequence[AuditEntry]:
    sealed = exists().where(col(AuditSeal.school_id) == school_id, col(AuditSeal.audit_id) == col(AuditEntry.id))
    return session.exec(
        select(AuditEntry).where(AuditEntry.school_id == school_id, ~sealed).order_by(col(AuditEntry.id)).limit(limit),
    ).all()


def verify_audit_chain(session: Session, school_id: UUID) -> list[str]:
    """Make the chain again from its rows and return what does not fit, in order; nothing when all is well."""
    problems: list[str] = []
    number, previous = 0, GENESIS
    while batch := _sealed_after(session, school_id, number):
        for seal, entry in batch:
            number += 1
            if seal.chain_seq != number:
                problems.append(f"audit seal {number} is missing (next is {seal.chain_seq})")
                number = seal.chain_seq
            if seal.previous != previous:
                problems.append(f"audit seal {number} does not follow the one before")
            if link(seal.previous, audit_facts(entry)) != seal.digest:
                problems.append(f"audit entry {entry.id} was changed after seal {number}")
            previous = seal.digest
    return problems


def _sealed_after(session: Session, school_id: UUID, number: int) -> Sequence[tuple[AuditSeal, AuditEntry]]:
    return session.exec(
        select(AuditSeal, AuditEntry)
        .join(AuditEntry, col(AuditEntry.id) == col(AuditSeal.audit_id))
        .where(AuditSeal.school_id == school_id, AuditSeal.chain_seq > number)
        .order_by(col(AuditSeal.chain_seq))
        .limit(_BATCH),
    ).all()


def audit_facts(entry: AuditEntry) -> dict[str, Value]:
    """Return what a seal covers: everything of the entry; its details stand in it as a salted digest."""
    return {
        "id": entry.id,
        "school_id": str(entry.school_id),
        "at": entry.at.isoformat(),
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "actor_role": entry.actor_role,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "reason": entry.reason,
        "request_id": entry.request_id,
        "digest": entry.digest.hex(),
    }


def _key(entry: AuditEntry) -> int:
    if entry.id is None:
        raise ValueError("the audit entry is not stored")
    return entry.id
