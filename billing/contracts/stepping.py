"""Taking a step of a contract: one at a time, in the order that the database allows, each with its deed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.contracts.reading import find_contract, state_of, steps_of
from billing.contracts.tables import Contract, ContractStep
from billing.errors import Conflict, NotAllowed

STATE_NAMES = {
    "draft": "chưa ký",
    "agreed": "đã ký, chưa nhập học",
    "enrolled": "đang học",
    "declined": "không nhập học",
    "withdrawn": "đã rút học",
}
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a step says, see ``ContractStep``."""

    kind: str
    day: date
    way: str = ""
    reason: str = ""
    paper_id: UUID | None = None
    bill_id: UUID | None = None
    enrolment_id: UUID | None = None
    entry_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def person(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for the system, since a person answers for a contract."""
    if actor.user_id is None:
        raise NotAllowed("Hợp đồng phải do một người có tên lập.")
    return actor.user_id


def today_of(now: datetime) -> date:
    """Return the school's day of a moment."""
    return (now + _VIET_NAM).date()


def hold_contract(session: Session, school_id: UUID, contract_id: UUID, *allowed: str) -> Contract:
    """Return a contract while nobody else takes a step; raises ``Conflict`` in any state but the allowed ones."""
    name = {"name": f"contract {contract_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    contract = find_contract(session, school_id, contract_id)
    state = state_of(steps_of(session, contract))
    if state not in allowed:
        raise Conflict(f"Hợp đồng {contract.number} {STATE_NAMES[state]}. Hãy tải lại trang.", contract=contract.id)
    return contract


def take(session: Session, contract: Contract, actor: Actor, taken: Taken, now: datetime) -> ContractStep:
    """Write a step of a contract that is held, with its deed."""
    row = ContractStep(
        school_id=contract.school_id,
        contract_id=contract.id,
        turn=len(steps_of(session, contract)) + 1,
        kind=taken.kind,
        day=taken.day,
        way=taken.way,
        reason=taken.reason,
        paper_id=taken.paper_id,
        bill_id=taken.bill_id,
        enrolment_id=taken.enrolment_id,
        entry_id=taken.entry_id,
        facts=taken.facts,
        made_by=None if taken.way == "code" else person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(contract.school_id, f"contract.{taken.kind}", "contract", str(contract.id), taken.reason)
    record_deed(session, actor, deed, now, day=taken.day.isoformat(), way=taken.way, **taken.facts)
    return row
