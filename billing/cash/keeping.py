"""Who keeps the till: its cashiers; an approver while it is in her hands, or in those of nobody who still works here.

The database judges by dated roles, those of authorities above the school included, and its own guards ask the same
(``cash_may_keep``, ``cash_may_receive``). Who keeps the accounts of a school never keeps its cash.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.errors import NotAllowed

_KEEPER = text("SELECT cash_keeper(:school)")
_MAY_KEEP = text("SELECT cash_may_keep(:person, :school, :now)")
_MAY_RECEIVE = text("SELECT cash_may_receive(:person, :school, :now)")
_APPROVES = text("SELECT cash_role_at(:person, :school, 'approver', :now)")


def keeper_of(session: Session, school_id: UUID) -> UUID | None:
    """Return who the till was handed to last; before the first hand-over who took or counted last, if anybody did."""
    found: UUID | None = session.execute(_KEEPER, {"school": school_id}).scalar_one()
    return found


def may_keep(session: Session, school_id: UUID, person: UUID, now: datetime) -> bool:
    """Say whether a person may count the till, bring from it to the bank and hand it over."""
    facts = {"person": person, "school": school_id, "now": now}
    return session.execute(_MAY_KEEP, facts).scalar_one() is True


def may_receive(session: Session, school_id: UUID, person: UUID, now: datetime) -> bool:
    """Say whether the till may be handed to a person: a cashier or approver who keeps no accounts here."""
    facts = {"person": person, "school": school_id, "now": now}
    return session.execute(_MAY_RECEIVE, facts).scalar_one() is True


def approves(session: Session, school_id: UUID, person: UUID, now: datetime) -> bool:
    """Say whether a person is an approver of the school at a moment."""
    return session.execute(_APPROVES, {"person": person, "school": school_id, "now": now}).scalar_one() is True


def refuse_not_keeping(session: Session, school_id: UUID, person: UUID | None, now: datetime) -> None:
    """Raise ``NotAllowed`` for who does not keep the till."""
    if person is None or not may_keep(session, school_id, person, now):
        raise NotAllowed(
            "Quỹ do thủ quỹ giữ. Người duyệt chỉ kiểm, nộp và bàn giao khi đã ký nhận quỹ, hoặc khi người giữ quỹ "
            "không còn làm việc ở trường."
        )
