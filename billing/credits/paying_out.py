"""What becomes of an approved refund, line by line: paid in cash against a signature, sent by bank, or taken back.

Cash leaves the till at once. What was sent by bank stays owed in the book until it is tied to the outgoing transfer
(docs/refunds.md); that tie is made where transfers are known, not here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.credits.receiving_tables import RefundBatchLine
from billing.credits.refunding import REFUND_PAYABLE, Move, approval_entry, move_transfer, pupils_of
from billing.credits.tables import Refund, RefundDecision, RefundLine, RefundStep
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.accounts import CASH
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.tables import JournalEntry
from billing.ledger.till import refuse_short
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.storage import among
from billing.visible import is_blank

STATE_NAMES = {
    "asked": "chờ duyệt",
    "rejected": "bị từ chối",
    "approved": "chờ chi",
    "paid": "đã chi tiền mặt",
    "sent": "đã chuyển khoản",
    "taken_back": "đã rút lại",
}
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class LineState:
    """Where a line stands: one word of ``STATE_NAMES``, and the step that brought it there (None: the decision)."""

    word: str
    step: RefundStep | None = None


def states_of(session: Session, school_id: UUID, lines: Collection[UUID]) -> dict[UUID, LineState]:
    """Return where lines of refunds stand."""
    steps: dict[UUID, RefundStep] = {}
    for step in session.exec(
        select(RefundStep)
        .where(RefundStep.school_id == school_id, among(RefundStep.line_id, lines))
        .order_by(col(RefundStep.turn))
    ).all():
        steps[step.line_id] = step
    decided = session.exec(
        select(col(RefundLine.id), RefundDecision.approved)
        .outerjoin(RefundDecision, col(RefundDecision.refund_id) == RefundLine.refund_id)
        .where(RefundLine.school_id == school_id, among(RefundLine.id, lines))
    ).all()
    return {line: _state(approved, steps.get(line)) for line, approved in decided}


def pay_cash(  # noqa: PLR0913, PLR0917  to whom, when, and who says so
    session: Session, line_id: UUID, actor: Actor, signed_by: str, day: date, now: datetime
) -> RefundStep:
    """Write down that the cashier handed a line's money over, and to whom.

    Raises ``Conflict`` when it was before, ``Refused`` where the till holds less.
    """
    if is_blank(signed_by):
        raise Refused("Hãy ghi họ tên người ký nhận tiền.")
    line = _held(session, line_id, "cash", "approved")
    _refuse_day(session, line, day, now)
    refuse_own_family(session, actor, line.school_id, pupils_of([line]))
    refuse_short(session, line.school_id, line.amount)
    turn = _next_turn(session, line)
    fact = Fact(line.school_id, "refund_paid", f"{line.id}:{turn}", day)
    entry = post(session, fact, [Line(REFUND_PAYABLE, CASH, line.amount, line.pupil_id, line.item_code)], now)
    return _step(
        session, line, actor, now, turn=turn, kind="paid", day=day, signed_by=signed_by.strip(), entry_id=entry
    )


def mark_sent(session: Session, line_id: UUID, actor: Actor, day: date, now: datetime) -> RefundStep:
    """Write down that a line's money was ordered at the bank; it stays owed until the bank's own word is tied to it."""
    line = _held(session, line_id, "bank", "approved")
    _refuse_day(session, line, day, now)
    refuse_own_family(session, actor, line.school_id, pupils_of([line]))
    return _step(session, line, actor, now, turn=_next_turn(session, line), kind="sent", day=day)


def undo_step(  # noqa: PLR0913  a deed, and whether the bank's own words stand behind it
    session: Session, line_id: UUID, actor: Actor, reason: str, now: datetime, *, told_by_bank: bool = False
) -> RefundStep:
    """Undo a payout that was written down wrongly: the line is to be paid out as before.

    A line of a file for the bank may be with the bank already and would be paid twice: it is undone by somebody who
    neither asked for the refund nor made the file (``SamePerson``), unless money that names its code came back
    (``told_by_bank``).
    """
    _refuse_without(reason, "Hãy ghi lý do hủy lần chi này.")
    line = _held(session, line_id, None, "paid", "sent")
    refuse_own_family(session, actor, line.school_id, pupils_of([line]))
    last = states_of(session, line.school_id, [line.id])[line.id].step
    if last is not None and not told_by_bank:
        _refuse_alone(session, line, last, actor)
    turn, day = _next_turn(session, line), (now + _VIET_NAM).date()
    entry = None
    if last is not None and last.entry_id is not None:
        fact = Fact(line.school_id, "refund_paid_undone", f"{line.id}:{turn}", day, reason.strip())
        entry = reverse(session, last.entry_id, fact, now)
    return _step(session, line, actor, now, turn=turn, kind="undone", day=day, reason=reason.strip(), entry_id=entry)


def take_back(  # noqa: PLR0913, PLR0917  a deed, and what moves a transfer
    session: Session, line_id: UUID, actor: Actor, reason: str, now: datetime, move: Move | None = None
) -> RefundStep:
    """Give up an approved line that was not paid out: its money is the pupil's credit again, under its item.

    The money of a transfer waits again, moved by ``move`` (as in ``approve_refund``).
    """
    _refuse_without(reason, "Hãy ghi lý do rút lại khoản hoàn này.")
    line = _held(session, line_id, None, "approved")
    refuse_own_family(session, actor, line.school_id, pupils_of([line]))
    kind, source = approval_entry(line.id)
    original = session.exec(
        select(JournalEntry.id).where(
            JournalEntry.school_id == line.school_id, JournalEntry.kind == kind, JournalEntry.source_id == source
        )
    ).one()
    if original is None:
        raise ValueError(f"refund line {line.id} does not stand in the book")
    day = (now + _VIET_NAM).date()
    entry = reverse(session, original, Fact(line.school_id, "refund_taken_back", source, day, reason.strip()), now)
    turn = _next_turn(session, line)
    step = _step(
        session, line, actor, now, turn=turn, kind="taken_back", day=day, reason=reason.strip(), entry_id=entry
    )
    move_transfer(line, move)
    return step


def find_line(session: Session, line_id: UUID) -> RefundLine:
    """Return a line; raises ``NotFound`` outside what the caller may see."""
    found = session.exec(select(RefundLine).where(RefundLine.id == line_id)).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy khoản hoàn tiền này.", line=line_id)
    return found


def approved_on(session: Session, line: RefundLine) -> date:
    """Return the school day on which a line was approved; raises ``NoResultFound`` while nobody decided."""
    at = session.exec(
        select(RefundDecision.at).where(
            RefundDecision.school_id == line.school_id, RefundDecision.refund_id == line.refund_id
        )
    ).one()
    return (at + _VIET_NAM).date()


def _state(approved: bool | None, last: RefundStep | None) -> LineState:  # noqa: FBT001  a column, not a switch
    if approved is None:
        return LineState("asked")
    if not approved:
        return LineState("rejected")
    if last is None or last.kind == "undone":
        return LineState("approved", last)
    return LineState(last.kind, last)


def _held(session: Session, line_id: UUID, way: str | None, *states: str) -> RefundLine:
    """Hold a line and return it; raises ``Conflict`` from any other state, ``Refused`` for the other way of paying."""
    line = find_line(session, line_id)
    name = {"name": f"refund line {line_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    state = states_of(session, line.school_id, [line.id])[line.id].word
    if state not in states:
        raise Conflict(
            f"Khoản hoàn này {STATE_NAMES[state]}; không làm được việc này. Hãy tải lại trang.", line=line_id
        )
    if way is not None and line.way != way:
        raise Refused(
            "Khoản hoàn này chi bằng tiền mặt." if line.way == "cash" else "Khoản hoàn này chi bằng chuyển khoản."
        )
    return line


def _next_turn(session: Session, line: RefundLine) -> int:
    step = states_of(session, line.school_id, [line.id])[line.id].step
    return 1 if step is None else step.turn + 1


def _step(  # noqa: PLR0913  one row of evidence
    session: Session,
    line: RefundLine,
    actor: Actor,
    now: datetime,
    *,
    turn: int,
    kind: str,
    day: date,
    signed_by: str = "",
    reason: str = "",
    entry_id: int | None = None,
) -> RefundStep:
    if actor.user_id is None:
        raise NotAllowed("Việc hoàn tiền phải do một người có tên làm.")
    step = RefundStep(
        school_id=line.school_id,
        line_id=line.id,
        turn=turn,
        kind=kind,
        day=day,
        signed_by=signed_by,
        reason=reason,
        entry_id=entry_id,
        made_by=actor.user_id,
        at=now,
    )
    session.add(step)
    session.flush()
    deed = Deed(line.school_id, f"refund.{kind}", "refund_line", str(line.id), reason)
    record_deed(session, actor, deed, now, amount=line.amount.dong, turn=turn)
    return step


def _refuse_day(session: Session, line: RefundLine, day: date, now: datetime) -> None:
    """Raise ``Refused`` for a day to come, and for one before another person approved: nothing was owed then."""
    if day > (now + _VIET_NAM).date():
        raise Refused(f"Ngày {day:%d/%m/%Y} chưa đến. Hãy ghi ngày đã chi tiền.")
    approved = approved_on(session, line)
    if day < approved:
        raise Refused(f"Khoản hoàn này được duyệt ngày {approved:%d/%m/%Y}: không ghi chi từ ngày {day:%d/%m/%Y} được.")


def _refuse_alone(session: Session, line: RefundLine, sent: RefundStep, actor: Actor) -> None:
    """Raise ``SamePerson`` where a line stands in a file for the bank and its maker or asker undoes that alone."""
    in_file = session.exec(
        select(RefundBatchLine).where(
            RefundBatchLine.school_id == line.school_id,
            RefundBatchLine.line_id == line.id,
            RefundBatchLine.turn == sent.turn,
        )
    ).one_or_none()
    asked_by = session.exec(
        select(Refund.made_by).where(Refund.school_id == line.school_id, Refund.id == line.refund_id)
    ).one()
    if in_file is None:
        return
    own_word = (
        "Khoản này nằm trong tệp đã lập cho ngân hàng. Người không lập đề nghị và không lập tệp, như người duyệt, "
        "mới hủy được, sau khi ngân hàng xác nhận chưa chuyển."
    )
    asked = Agreement(line.school_id, {sent.made_by, asked_by}, pupils_of([line]), own_word, {"line": line.id})
    second_person(session, actor, asked)


def _refuse_without(reason: str, sentence: str) -> None:
    if is_blank(reason):
        raise Refused(sentence)
