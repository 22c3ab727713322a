"""Corrections of an issued round: one person asks, another approves, and only then anything happens.

Six kinds: *void* takes an unpaid bill back; *replace* also issues a newly calculated one in its place; *credit* lowers
lines of one bill by amounts; *price* lowers one item of all bills of the round to a lower price; *attendance* lowers
meals to the days attended (``by_days``); *leaving* takes off one bill what a pupil who left did not use. Who has paid
already gets the difference as credit, who has not owes less.
Nothing of a locked round is corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.lowering import Off
from billing.bills.tables import Bill
from billing.errors import Conflict, NotFound, Refused
from billing.money import ZERO, Money, total
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.rounds.drafting import find_round, person
from billing.rounds.locking import refuse_locked
from billing.rounds.lowering import LoweredBill, lower, lowered_bills
from billing.rounds.tables import LOWERING_KINDS, Correction, CorrectionDecision
from billing.rounds.voiding import bill_to_void, instead_of, replace_bill, void


@dataclass(frozen=True, slots=True)
class Lowering:
    """One line of a bill and by how much the family's share of it falls."""

    line_id: int
    amount: Money


@dataclass(frozen=True, slots=True)
class CorrectedBill:
    """What a correction does to one bill. ``was`` and ``now``: what it comes to for the family.

    ``was - now`` is ``off_rest + to_credit``. ``off_written``: what comes off the part that was written off before, for
    which nobody is asked any more. ``new_due`` is what the bill in its place asks for, if there is one.
    """

    bill_id: UUID
    number: str
    pupil_id: UUID
    was: Money
    now: Money
    off_rest: Money
    to_credit: Money
    off_state: Money = ZERO
    off_written: Money = ZERO
    new_due: Money | None = None


@dataclass(frozen=True, slots=True)
class CorrectionPreview:
    """What a correction would do now (or, once approved, did), bill by bill."""

    bills: tuple[CorrectedBill, ...]

    @property
    def off_rest(self) -> Money:
        """What families no longer have to pay."""
        return total(bill.off_rest for bill in self.bills)

    @property
    def off_written(self) -> Money:
        """What comes off parts that were written off."""
        return total(bill.off_written for bill in self.bills)

    @property
    def to_credit(self) -> Money:
        """What families have paid already and get as credit."""
        return total(bill.to_credit for bill in self.bills)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, before it is checked and written down."""

    school_id: UUID
    round_id: UUID
    kind: str
    content: dict[str, Any]
    bill_id: UUID | None = None


def propose_void(  # noqa: PLR0913  a deed, its reason and moment
    session: Session, actor: Actor, bill_id: UUID, reason: str, now: datetime, *, replace: bool = False
) -> Correction:
    """Ask for an unpaid bill to be taken back, or replaced by a newly calculated one (``replace``).

    Raises ``Conflict`` when it is paid, void or of a locked round; ``Refused`` without a reason, or when a new bill
    would charge nothing.
    """
    content: dict[str, Any] = {}
    balance = bill_to_void(session, bill_id)
    if replace:
        instead = instead_of(session, balance)
        content = {"was": balance.due.dong, "due": instead.due.dong, "digest": instead.digest}
    return ask(session, actor, _of_bill(session, bill_id, "replace" if replace else "void", content), reason, now)


def propose_credit(  # noqa: PLR0913, PLR0917  a deed, its reason and moment
    session: Session, actor: Actor, bill_id: UUID, lines: Sequence[Lowering], reason: str, now: datetime
) -> Correction:
    """Ask for a credit note over some lines of one bill; raises ``Refused`` beyond what a line comes to."""
    if not lines or len({line.line_id for line in lines}) != len(lines):
        raise Refused("Hãy chọn ít nhất một khoản để ghi giảm, mỗi khoản một lần.")
    content = {"lines": [{"line": line.line_id, "amount": line.amount.dong} for line in lines]}
    return ask(session, actor, _of_bill(session, bill_id, "credit", content), reason, now)


def propose_price(  # noqa: PLR0913, PLR0917  a deed, its reason and moment
    session: Session, actor: Actor, round_id: UUID, item_code: str, price: Money, reason: str, now: datetime
) -> Correction:
    """Ask for one item to be lowered to a price in all bills of a round; ``Refused`` when none would fall."""
    content = {"item": item_code, "price": price.dong}
    billing_round = find_round(session, round_id)
    if billing_round.kind == "opening":
        raise Refused("Đợt thu đầu kỳ không có đơn giá để hạ. Hãy ghi giảm từng thông báo thu.")
    asked = Asked(billing_round.school_id, round_id, "price", content)
    return ask(session, actor, asked, reason, now)


@dataclass(frozen=True, slots=True)
class Unused:
    """What a pupil who left did not use of a line.

    Of meals ``used`` counts the units that were used; of other lines ``of_billed`` is what of the shares as billed was
    not used; where neither is given (a contract's own rule) the shares fall by ``off`` as it is.
    """

    off: Off
    used: int | None = None
    of_billed: Off | None = None

    def as_json(self) -> dict[str, int]:
        """Return what the correction keeps of it."""
        if self.used is not None:
            return {"line": self.off.line_id, "used": self.used}
        if self.of_billed is not None:
            unused = self.of_billed
            return {"line": unused.line_id, "unused": unused.family.dong, "unused_state": unused.state.dong}
        return {"line": self.off.line_id, "family": self.off.family.dong, "state": self.off.state.dong}


def propose_leaving(  # noqa: PLR0913, PLR0917  a deed, its reason and moment
    session: Session, actor: Actor, bill_id: UUID, unused: Sequence[Unused], reason: str, now: datetime
) -> Correction:
    """Ask for what a pupil who left did not use to come off one bill: of the family's share and of the State's.

    Meals are counted by units, so that what is settled by days before this is approved does not come off again; other
    lines by the part of what was billed, so that a price lowered before or after comes to the same.
    """
    lines = [each.as_json() for each in unused]
    return ask(session, actor, _of_bill(session, bill_id, "leaving", {"lines": lines}), reason, now)


def preview_correction(session: Session, correction_id: UUID) -> CorrectionPreview:
    """Return what an open correction would do now; raises what approving it would raise."""
    return _preview(session, find_correction(session, correction_id))


def approve_correction(
    session: Session, correction_id: UUID, actor: Actor, now: datetime, reference_key: bytes
) -> CorrectionPreview:
    """Approve and carry out; return what was done.

    Raises ``SamePerson`` for whoever asked, ``OwnFamily`` for the bill of a child of either person's family,
    ``Conflict`` when it was decided already, the round is locked, or the bill was paid or changed meanwhile (then
    reject it, or ask for a credit note instead).
    """
    correction = _alone(session, correction_id)
    own_word = "Người lập đề nghị không được tự duyệt. Hãy nhờ người duyệt khác."
    about = _about(session, correction.bill_id)
    asked = Agreement(correction.school_id, {correction.made_by}, about, own_word, {"correction": correction_id})
    approver = second_person(session, actor, asked)
    refuse_locked(find_round(session, correction.round_id))
    _decide(session, correction, actor, now, approved=True)
    if correction.kind in LOWERING_KINDS:
        return CorrectionPreview(tuple(map(_as_lowered, lower(session, correction, actor, now))))
    done = _preview(session, correction)
    if correction.kind == "replace":
        replace_bill(session, correction, approver, now, reference_key)
    else:
        void(session, correction, approver, now)
    return done


def reject_correction(session: Session, correction_id: UUID, actor: Actor, now: datetime, reason: str) -> None:
    """Say no, with a reason; whoever asked may take the request back this way, too."""
    correction = _alone(session, correction_id)
    if not reason.strip():
        raise Refused("Hãy ghi lý do từ chối.")
    _decide(session, correction, actor, now, approved=False, reason=reason.strip())


def open_corrections(session: Session, school_id: UUID) -> list[Correction]:
    """Return what waits for a decision at a school, oldest first."""
    return list(
        session.exec(
            select(Correction)
            .outerjoin(CorrectionDecision, col(CorrectionDecision.correction_id) == col(Correction.id))
            .where(Correction.school_id == school_id, col(CorrectionDecision.correction_id).is_(None))
            .order_by(col(Correction.made_at), col(Correction.id)),
        ).all()
    )


def find_correction(session: Session, correction_id: UUID) -> Correction:
    """Return a correction; raises ``NotFound`` outside what the caller may see."""
    found = session.exec(select(Correction).where(Correction.id == correction_id)).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đề nghị điều chỉnh này.", correction=correction_id)
    return found


def _of_bill(session: Session, bill_id: UUID, kind: str, content: dict[str, Any]) -> Asked:
    bill = session.exec(select(Bill).where(Bill.id == bill_id)).one_or_none()
    if bill is None:
        raise NotFound("Không tìm thấy thông báo thu này.", bill=bill_id)
    return Asked(bill.school_id, bill.round_id, kind, content, bill_id)


def ask(session: Session, actor: Actor, asked: Asked, reason: str, now: datetime) -> Correction:
    """Write down what one person asks to be corrected, if it can be done now; another person decides."""
    if not reason.strip():
        raise Refused("Hãy ghi lý do điều chỉnh.")
    refuse_own_family(session, actor, asked.school_id, _about(session, asked.bill_id))
    refuse_locked(find_round(session, asked.round_id))
    correction = _as_row(asked, reason.strip(), person(actor), now)
    _preview(session, correction)
    session.add(correction)
    session.flush()
    deed = Deed(
        correction.school_id, f"correction.ask_{asked.kind}", "correction", str(correction.id), correction.reason
    )
    record_deed(session, actor, deed, now, **_told(asked))
    return correction


def _about(session: Session, bill_id: UUID | None) -> frozenset[UUID]:
    """Return whose bill is corrected; what a whole round has alike is nobody's own."""
    if bill_id is None:
        return WHOLE_SCHOOL
    return frozenset(session.exec(select(Bill.pupil_id).where(Bill.id == bill_id)).all())


def preview_asked(session: Session, actor: Actor, asked: Asked, now: datetime) -> CorrectionPreview:
    """Return what a correction would do before anybody asks for it; raises what asking for it would raise."""
    refuse_locked(find_round(session, asked.round_id))
    return _preview(session, _as_row(asked, "", person(actor), now))


def _as_row(asked: Asked, reason: str, maker: UUID, now: datetime) -> Correction:
    return Correction(
        school_id=asked.school_id,
        round_id=asked.round_id,
        bill_id=asked.bill_id,
        kind=asked.kind,
        content=asked.content,
        reason=reason,
        made_by=maker,
        made_at=now,
    )


def _told(asked: Asked) -> dict[str, Any]:
    """Return what the audit keeps of the content: of a whole round's lines how many, for they stand in the row."""
    return {"lines": len(asked.content["lines"])} if asked.kind == "attendance" else asked.content


def _preview(session: Session, correction: Correction) -> CorrectionPreview:
    if correction.kind in LOWERING_KINDS:
        return CorrectionPreview(tuple(map(_as_lowered, lowered_bills(session, correction))))
    if correction.bill_id is None:
        raise ValueError(f"correction {correction.id} names no bill")
    balance = bill_to_void(session, correction.bill_id)
    gone = CorrectedBill(
        bill_id=balance.bill_id,
        number=balance.number,
        pupil_id=balance.pupil_id,
        was=balance.due,
        now=ZERO,
        off_rest=balance.rest,
        to_credit=balance.paid,
        new_due=Money(correction.content["due"]) if correction.kind == "replace" else None,
    )
    return CorrectionPreview((gone,))


def _as_lowered(bill: LoweredBill) -> CorrectedBill:
    return CorrectedBill(
        bill_id=bill.balance.bill_id,
        number=bill.balance.number,
        pupil_id=bill.balance.pupil_id,
        was=bill.was,
        now=bill.now,
        off_rest=bill.off_rest,
        to_credit=bill.to_credit,
        off_state=bill.off_state,
        off_written=bill.off_written,
    )


def _alone(session: Session, correction_id: UUID) -> Correction:
    """Wait until nobody else decides on this correction; raises ``Conflict`` when somebody has."""
    name = {"name": f"correction {correction_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    correction = find_correction(session, correction_id)
    decided = session.exec(
        select(CorrectionDecision).where(CorrectionDecision.correction_id == correction_id)
    ).one_or_none()
    if decided is not None:
        word = "được duyệt" if decided.approved else "bị từ chối"
        raise Conflict(f"Đề nghị này đã {word}.", correction=correction_id)
    return correction


def _decide(  # noqa: PLR0913  one decision
    session: Session, correction: Correction, actor: Actor, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        CorrectionDecision(
            correction_id=correction.id,
            school_id=correction.school_id,
            approved=approved,
            decided_by=person(actor),
            reason=reason,
            at=now,
        )
    )
    session.flush()
    act = "approve" if approved else "reject"
    deed = Deed(correction.school_id, f"correction.{act}", "correction", str(correction.id), reason)
    record_deed(session, actor, deed, now, kind=correction.kind)
    if approved and correction.bill_id is not None:
        on_bill = Deed(
            correction.school_id, f"bill.{correction.kind}", "bill", str(correction.bill_id), correction.reason
        )
        record_deed(session, actor, on_bill, now, correction=str(correction.id))
