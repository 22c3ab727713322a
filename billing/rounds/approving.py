"""From one person's hands to another's: submit, approve, withdraw."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, record_deed
from billing.errors import Conflict, Refused, SamePerson
from billing.rounds.drafting import find_round, person, refuse_same_months, round_deed
from billing.rounds.previewing import open_questions, refuse_changed
from billing.rounds.tables import BillingRound

WITHDRAWABLE = ("draft", "previewed", "submitted", "approved")
STATE_NAMES = {
    "draft": "đang soạn",
    "previewed": "đã xem trước",
    "submitted": "đang chờ duyệt",
    "approved": "đã duyệt",
    "issued": "đã phát hành",
    "locked": "đã khóa",
    "withdrawn": "đã hủy",
}


def submit_round(
    session: Session, round_id: UUID, actor: Actor, now: datetime, *, shown: str | None = None
) -> BillingRound:
    """Hand a previewed round to the approver.

    ``shown``: the digest (hex) of what the person saw. Raises ``Conflict`` from any other state, or when the round is
    no longer what was shown; ``Refused`` when it makes no bill.
    """
    billing_round = _in_state(session, round_id, "previewed", "Hãy xem trước đợt thu rồi mới trình duyệt.", shown)
    if not billing_round.preview.get("bills"):
        raise Refused("Đợt thu này không có thông báo nào để phát hành; không có gì để duyệt.", round=round_id)
    billing_round.state = "submitted"
    billing_round.submitted_at = now
    return _kept(session, billing_round, actor, now, "round.submit")


def approve_round(  # noqa: PLR0913  a deed, what was seen of it and agreed to
    session: Session,
    round_id: UUID,
    actor: Actor,
    now: datetime,
    *,
    confirm: bool = False,
    shown: str | None = None,
) -> BillingRound:
    """Approve what was previewed; ``shown`` as in ``submit_round``.

    Raises ``SamePerson`` for whoever made the round, ``Conflict`` if it is not submitted or not what was shown, and
    ``Refused`` while questions are open (an item without a cap, a total that moves much) and ``confirm`` is not given.
    """
    billing_round = _in_state(session, round_id, "submitted", "Chỉ duyệt được đợt thu đã trình.", shown)
    approver = person(actor)
    if approver == billing_round.made_by:
        raise SamePerson("Người lập đợt thu không được tự duyệt. Hãy nhờ người duyệt khác.", round=round_id)
    if billing_round.kind == "regular":
        days = billing_round.period_from, billing_round.period_to
        refuse_same_months(session, billing_round.school_id, *days, own=billing_round.id)
    questions = open_questions(billing_round)
    if questions and not confirm:
        raise Refused("Cần đồng ý rõ ràng trước khi duyệt: " + " ".join(questions), questions=questions)
    billing_round.state = "approved"
    billing_round.approved_by = approver
    billing_round.approved_at = now
    return _kept(session, billing_round, actor, now, "round.approve", agreed_to=questions)


def withdraw_round(session: Session, round_id: UUID, actor: Actor, now: datetime, reason: str) -> BillingRound:
    """Give a round up before it is issued, with a reason; raises ``Conflict`` when it is too late."""
    billing_round = find_round(session, round_id, hold=True)
    if billing_round.state not in WITHDRAWABLE:
        raise Conflict(f"Đợt thu {STATE_NAMES[billing_round.state]}, không thể hủy.", state=billing_round.state)
    if not reason.strip():
        raise Refused("Hãy ghi lý do hủy đợt thu.")
    person(actor)
    billing_round.state = "withdrawn"
    return _kept(session, billing_round, actor, now, "round.withdraw", reason=reason)


def _in_state(session: Session, round_id: UUID, state: str, remedy: str, shown: str | None) -> BillingRound:
    billing_round = find_round(session, round_id, hold=True)
    if billing_round.state != state:
        raise Conflict(f"Đợt thu {STATE_NAMES[billing_round.state]}. {remedy}", state=billing_round.state)
    if shown is not None:
        refuse_changed(billing_round, shown)
    return billing_round


def _kept(  # noqa: PLR0913  one deed and its details
    session: Session,
    billing_round: BillingRound,
    actor: Actor,
    now: datetime,
    action: str,
    *,
    reason: str = "",
    agreed_to: list[str] | None = None,
) -> BillingRound:
    session.add(billing_round)
    session.flush()
    digest = billing_round.preview_digest
    record_deed(
        session,
        actor,
        round_deed(billing_round, action, reason),
        now,
        digest=digest.hex() if digest else None,
        agreed_to=agreed_to or [],
    )
    return billing_round
