"""The job that seals books and audit logs, as the sealer's own database role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists
from sqlmodel import Session, col, select

from billing.audit.sealing import seal_audit
from billing.audit.tables import AuditEntry, AuditSeal
from billing.ledger.sealing import seal_entries
from billing.ledger.tables import JournalEntry, Seal
from service.database import EVERYTHING, Database, Scope, make_engine
from service.wiring import Wiring

MOST_AT_ONCE = 2000
_BATCH = 500
_Sealing = Callable[[Session, UUID, datetime, int], int]


def seal(wiring: Wiring) -> int:
    """Seal what has no seal yet, school by school; return how many entries and deeds were sealed."""
    database = Database(make_engine(wiring.addresses.sealer, pool_size=1))
    try:
        done = 0
        for school_id, verb in _work(database):
            done += _drain(database, school_id, verb, wiring.clock, MOST_AT_ONCE - done)
        return done
    finally:
        database.close()


def _drain(database: Database, school_id: UUID, verb: _Sealing, clock: Callable[[], datetime], most: int) -> int:
    """Seal batch after batch of one school's chain, each batch in its own transaction, until none or enough."""
    done = 0
    while done < most:
        with database.transaction(Scope.of(school_id)) as session:
            sealed = verb(session, school_id, clock(), min(_BATCH, most - done))
        done += sealed
        if not sealed:
            break
    return done


def _work(database: Database) -> list[tuple[UUID, _Sealing]]:
    """Return the schools whose book or audit log has something without a seal."""
    entry_sealed = exists().where(
        col(Seal.school_id) == col(JournalEntry.school_id),
        col(Seal.entry_id) == col(JournalEntry.id),
    )
    deed_sealed = exists().where(
        col(AuditSeal.school_id) == col(AuditEntry.school_id),
        col(AuditSeal.audit_id) == col(AuditEntry.id),
    )
    with database.transaction(EVERYTHING) as session:
        books = session.exec(select(JournalEntry.school_id).where(~entry_sealed).distinct()).all()
        deeds = session.exec(select(AuditEntry.school_id).where(~deed_sealed).distinct()).all()
    return [*((school, seal_entries) for school in books), *((school, seal_audit) for school in deeds)]
