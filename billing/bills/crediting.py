"""Writing credit notes, set-wise: one for each bill, all of one correction in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.bills.lowering import Note
from billing.loading import load_temporary


@dataclass(frozen=True, slots=True)
class Approved:
    """What all credit notes of one correction have in common."""

    school_id: UUID
    correction_id: UUID
    reason: str
    made_by: UUID
    approved_by: UUID
    at: datetime


_NOTES = {"bill_id": "uuid", "line_id": "bigint", "off_rest": "bigint", "to_credit": "bigint", "off_state": "bigint"}
_INSERT = text("""
    INSERT INTO bill_credits (school_id, correction_id, bill_id, line_id, off_rest, to_credit, off_state, reason,
                              made_by, approved_by, at)
    SELECT :school_id, :correction_id, bill_id, line_id, off_rest, to_credit, off_state, :reason,
           :made_by, :approved_by, :at
    FROM pg_temp.new_bill_credits ORDER BY bill_id, line_id
""")


def write_credits(session: Session, approved: Approved, notes: Mapping[UUID, Sequence[Note]]) -> None:
    """Insert the notes by bill; the database refuses (``check_violation``) what a bill or a line cannot give."""
    rows = (
        (bill, note.line_id, note.off_rest.dong, note.to_credit.dong, note.off_state.dong)
        for bill, of_bill in notes.items()
        for note in of_bill
    )
    session.flush()
    load_temporary(session, "new_bill_credits", _NOTES, rows)
    session.execute(
        _INSERT,
        {
            "school_id": approved.school_id,
            "correction_id": approved.correction_id,
            "reason": approved.reason,
            "made_by": approved.made_by,
            "approved_by": approved.approved_by,
            "at": approved.at,
        },
    )
