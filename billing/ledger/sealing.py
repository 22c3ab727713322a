"""Sealing the book: every entry with its postings gets its link in its school's chain, given out under one lock.

Entries commit in any order, so the chain has numbers of its own; work is found by the absence of a seal. Only the
sealer's role may insert seals: whoever can write entries cannot write their seals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from billing.audit.chain import GENESIS, Value, link
from billing.ledger.tables import JournalEntry, LedgerAccount, Posting, Seal

_BATCH = 1000
_Postings = dict[int, list[Value]]


def seal_entries(session: Session, school_id: UUID, now: datetime, limit: int = 500) -> int:
    """Seal up to ``limit`` entries of a school that have no seal yet, oldest first; return how many were."""
    session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"seal book {school_id}", 0)))).one()
    head = session.exec(
        select(Seal).where(Seal.school_id == school_id).order_by(col(Seal.chain_seq).desc()).limit(1),
    ).first()
    number, previous = (head.chain_seq, head.digest) if head else (0, GENESIS)
    entries = _unsealed(session, school_id, limit)
    postings = _postings(session, school_id, entries)
    for entry in entries:
        number += 1
        digest = link(previous, entry_facts(entry, postings))
        session.add(
            Seal(
                school_id=school_id,
                chain_seq=number,
                entry_id=_key(entry),
                previous=previous,
                digest=digest,
                sealed_at=now,
            ),
        )
        previous = digest
    session.flush()
    return len(entries)


def _unsealed(session: Session, school_id: UUID, limit: int) -> Sequence[JournalEntry]:
    sealed = exists().where(col(Seal.school_id) == school_id, col(Seal.entry_id) == col(JournalEntry.id))
    return session.exec(
        select(JournalEntry)
        .where(JournalEntry.school_id == school_id, ~sealed)
        .order_by(col(JournalEntry.id))
        .limit(limit),
    ).all()


def verify_chain(session: Session, school_id: UUID) -> list[str]:
    """Make the chain again from its rows and return what does not fit, in order; nothing when all is well."""
    problems: list[str] = []
    number, previous = 0, GENESIS
    while batch := _sealed_after(session, school_id, number):
        postings = _postings(session, school_id, [entry for _, entry in batch])
        for seal, entry in batch:
            number += 1
            if seal.chain_seq != number:
                problems.append(f"seal {number} is missing (next is {seal.chain_seq})")
                number = seal.chain_seq
            if seal.previous != previous:
                problems.append(f"seal {number} does not follow the one before")
            if link(seal.previous, entry_facts(entry, postings)) != seal.digest:
                problems.append(f"entry {entry.id} was changed after seal {number}")
            previous = seal.digest
    return problems


def _sealed_after(session: Session, school_id: UUID, number: int) -> Sequence[tuple[Seal, JournalEntry]]:
    return session.exec(
        select(Seal, JournalEntry)
        .join(JournalEntry, col(JournalEntry.id) == col(Seal.entry_id))
        .where(Seal.school_id == school_id, Seal.chain_seq > number)
        .order_by(col(Seal.chain_seq))
        .limit(_BATCH),
    ).all()


def _postings(session: Session, school_id: UUID, entries: Sequence[JournalEntry]) -> _Postings:
    """Return the postings of some entries by entry, in the order of their keys, with account codes."""
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    query: Any = (
        select(Posting, debit.code, credit.code)
        .join(debit, col(debit.id) == col(Posting.debit_account_id))
        .join(credit, col(credit.id) == col(Posting.credit_account_id))
        .where(Posting.school_id == school_id, col(Posting.entry_id).in_([_key(entry) for entry in entries]))
        .order_by(col(Posting.id))
    )
    found: _Postings = defaultdict(list)
    for posting, debit_code, credit_code in session.exec(query).all():
        found[posting.entry_id].append(
            [
                posting.id,
                debit_code,
                credit_code,
                posting.amount.dong,
                str(posting.pupil_id) if posting.pupil_id else None,
                posting.item_code,
                str(posting.bill_id) if posting.bill_id else None,
            ],
        )
    return found


def entry_facts(entry: JournalEntry, postings: _Postings) -> dict[str, Value]:
    """Return what a seal covers: the entry, and each posting as [id, debit, credit, đồng, pupil, item, bill]."""
    return {
        "id": entry.id,
        "school_id": str(entry.school_id),
        "kind": entry.kind,
        "source_id": entry.source_id,
        "value_date": entry.value_date.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "reverses_id": entry.reverses_id,
        "note": entry.note,
        "postings": postings.get(_key(entry), []),
        **({} if entry.true_day is None else {"true_day": entry.true_day.isoformat()}),
    }


def _key(entry: JournalEntry) -> int:
    if entry.id is None:
        raise ValueError("the entry is not stored")
    return entry.id
