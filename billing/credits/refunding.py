"""Refunds: one person asks for credit to be given back, another approves, and from then on it is owed to the family.

What is asked back is no longer used on bills. Approving moves it in the book from the pupil's credit to what is to be
paid out; it can be taken back as long as it is not paid out, and is then the pupil's credit again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.credits.payee import IN_CASH, LONGEST_PROOF, Payee, refuse_payee
from billing.credits.reading import credit_of, free_credit
from billing.credits.refund_code import new_code
from billing.credits.tables import Refund, RefundDecision, RefundLine
from billing.credits.using import hold_credit
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.accounts import FAMILY_CREDIT, SUSPENSE, open_account
from billing.ledger.posting import Fact, Line
from billing.ledger.posting_many import Posted, post_many
from billing.money import ZERO, Money, total
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.vault import Vault
from billing.visible import is_blank

REFUND_PAYABLE = "3388H"  # owed to families, not paid out yet
_PAYABLE_NAME = "Tiền tồn phải hoàn cho gia đình"
PAYEE_CONTEXT = "refund_lines.payee"
ACCOUNT_CONTEXT = "refund_lines.account"
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one pupil's family is to get back of one item's credit (None: without an item)."""

    pupil_id: UUID
    item_code: str | None
    amount: Money
    payee: Payee = IN_CASH


@dataclass(frozen=True, slots=True)
class WantedBack:
    """A transfer that nobody could place and that is to go back whole; ``amount`` is the transfer's."""

    transfer_id: UUID
    amount: Money
    payee: Payee


Move = Callable[[RefundLine], None]
"""What moves the transfer of a line to its next state, told by the room that knows transfers."""


@dataclass(frozen=True, slots=True)
class About:
    """What a request is about, for people to find it by; all of it may be empty."""

    item_code: str | None = None
    class_id: UUID | None = None
    round_id: UUID | None = None


def ask_refund(  # noqa: PLR0913, PLR0917  who asks, for what, why, when
    session: Session,
    vault: Vault,
    actor: Actor,
    school_id: UUID,
    wanted: Sequence[Wanted],
    reason: str,
    now: datetime,
    about: About = About(),
) -> Refund:
    """Write down a request over one or many lines; another person decides.

    Raises ``Refused`` without a reason, line, payee or account that can be used, or beyond the credit that is free.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do hoàn tiền.")
    if not wanted or len({(each.pupil_id, each.item_code) for each in wanted}) != len(wanted):
        raise Refused("Hãy chọn ít nhất một khoản để hoàn, mỗi học sinh và khoản thu một dòng.")
    refuse_own_family(session, actor, school_id, {each.pupil_id for each in wanted})
    hold_credit(session, school_id)
    free = free_credit(session, school_id, {each.pupil_id for each in wanted})
    for each in wanted:
        most = free.get((each.pupil_id, each.item_code), ZERO)
        if not ZERO < each.amount <= most:
            raise Refused(f"Số tiền hoàn phải từ 1 đ đến {most} (tiền tồn còn dùng được).", pupil=each.pupil_id)
    return _write(session, vault, actor, school_id, wanted, reason.strip(), now, about)


def ask_back(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school_id: UUID, wanted: WantedBack, reason: str, now: datetime
) -> Refund:
    """Write down a request that a waiting transfer goes back to its payer; another person decides.

    The database refuses what does not wait, another sum than the transfer's, and a second open request.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do trả lại giao dịch này.")
    if wanted.payee.way != "bank":
        raise Refused("Tiền chuyển khoản không rõ của ai chỉ trả lại bằng chuyển khoản.")
    return _write(session, vault, actor, school_id, [wanted], reason.strip(), now)


def _write(  # noqa: PLR0913, PLR0917  one request with its lines
    session: Session,
    vault: Vault,
    actor: Actor,
    school_id: UUID,
    wanted: Sequence[Wanted | WantedBack],
    reason: str,
    now: datetime,
    about: About = About(),
) -> Refund:
    for each in wanted:
        refuse_payee(each.payee)
    refund = Refund(
        school_id=school_id,
        reason=reason,
        item_code=about.item_code,
        class_id=about.class_id,
        round_id=about.round_id,
        made_by=_person(actor),
        made_at=now,
    )
    session.add(refund)
    session.flush()
    session.add_all(_line(vault, refund, each) for each in wanted)
    session.flush()
    record_deed(
        session,
        actor,
        _deed(refund, "refund.ask", refund.reason),
        now,
        lines=len(wanted),
        amount=total(each.amount for each in wanted).dong,
    )
    return refund


def approve_refund(session: Session, refund_id: UUID, actor: Actor, now: datetime, move: Move | None = None) -> Money:
    """Approve a request: its credit is no longer the pupils', it is owed to them. Return how much it is.

    Raises ``SamePerson`` for whoever asked, ``Conflict`` when it was decided already. With a transfer among the lines
    ``move`` must be given (``reconciliation.returning.deciding`` does so).
    """
    refund = _undecided(session, refund_id)
    lines = lines_of(session, refund)
    second_person(session, actor, agreement_to(refund, pupils_of(lines)))
    _refuse_gone(session, refund, lines)
    _decide(session, refund, actor, now, approved=True)
    open_account(session, refund.school_id, REFUND_PAYABLE, _PAYABLE_NAME, "clearing")
    post_many(session, refund.school_id, [_posted(line, (now + _VIET_NAM).date()) for line in lines], now)
    for line in lines:
        move_transfer(line, move)
    return total(line.amount for line in lines)


def agreement_to(refund: Refund, pupils: Collection[UUID]) -> Agreement:
    """Return what another person agrees to in a request, as far as it is about some pupils."""
    own_word = "Người lập đề nghị hoàn tiền không được tự duyệt. Hãy nhờ người duyệt khác."
    return Agreement(refund.school_id, {refund.made_by}, pupils, own_word, {"refund": refund.id})


def reject_refund(session: Session, refund_id: UUID, actor: Actor, reason: str, now: datetime) -> None:
    """Say no, with a reason; whoever asked may take the request back this way, too. The credit is free again."""
    refund = _undecided(session, refund_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do từ chối hoàn tiền.")
    _decide(session, refund, actor, now, approved=False, reason=reason.strip())


def find_refund(session: Session, refund_id: UUID) -> Refund:
    """Return a request; raises ``NotFound`` outside what the caller may see."""
    found = session.exec(select(Refund).where(Refund.id == refund_id)).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đề nghị hoàn tiền này.", refund=refund_id)
    return found


def lines_of(session: Session, refund: Refund) -> list[RefundLine]:
    """Return the lines of a request in the order in which they were written."""
    rows = session.exec(
        select(RefundLine)
        .where(RefundLine.school_id == refund.school_id, RefundLine.refund_id == refund.id)
        .order_by(col(RefundLine.id))
    ).all()
    return list(rows)


def pupils_of(lines: Sequence[RefundLine]) -> set[UUID]:
    """Return the pupils whose credit some lines give back; a transfer that goes back is of none."""
    return {line.pupil_id for line in lines if line.pupil_id is not None}


def decision_of(session: Session, refund: Refund) -> RefundDecision | None:
    """Return the decision on a request, if there is one."""
    return session.exec(select(RefundDecision).where(RefundDecision.refund_id == refund.id)).one_or_none()


def payee_of(vault: Vault, line: RefundLine) -> Payee:
    """Return, opened, where the money of a line goes."""
    return Payee(
        name=vault.open(line.payee_sealed, PAYEE_CONTEXT) if line.payee_sealed else "",
        bank_bin=line.bank_bin or "",
        account=vault.open(line.account_sealed, ACCOUNT_CONTEXT) if line.account_sealed else "",
        source=line.payee_source or "",
        proof=line.proof,
    )


def move_transfer(line: RefundLine, move: Move | None) -> None:
    """Move the transfer of a line, if it is of one; raises ``ValueError`` where nobody here knows transfers."""
    if line.transfer_id is None:
        return
    if move is None:
        raise ValueError(f"refund line {line.id} is of a transfer")
    move(line)


def approval_entry(line_id: UUID) -> tuple[str, str]:
    """Return kind and source under which an approved line stands in the book."""
    return "refund_approved", str(line_id)


def _refuse_gone(session: Session, refund: Refund, lines: Sequence[RefundLine]) -> None:
    """Raise ``Conflict`` when credit went since it was asked back, say because the bank took a payment back."""
    of_pupils = [(line, line.pupil_id) for line in lines if line.pupil_id is not None]
    kept = credit_of(session, refund.school_id, {pupil for _, pupil in of_pupils})
    for line, pupil in of_pupils:
        left = kept.get((pupil, line.item_code), ZERO)
        if left < line.amount:
            raise Conflict(
                f"Tiền tồn của học sinh chỉ còn {left}, không đủ hoàn {line.amount}. Hãy từ chối và lập đề nghị mới.",
                pupil=pupil,
            )


def _undecided(session: Session, refund_id: UUID) -> Refund:
    """Wait until nobody else decides; raises ``Conflict`` when somebody has."""
    hold_credit(session, find_refund(session, refund_id).school_id)
    refund = find_refund(session, refund_id)
    decided = decision_of(session, refund)
    if decided is not None:
        word = "được duyệt" if decided.approved else "bị từ chối"
        raise Conflict(f"Đề nghị hoàn tiền này đã {word}.", refund=refund_id)
    return refund


def _decide(  # noqa: PLR0913  one decision
    session: Session, refund: Refund, actor: Actor, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        RefundDecision(
            refund_id=refund.id,
            school_id=refund.school_id,
            approved=approved,
            decided_by=_person(actor),
            reason=reason,
            at=now,
        )
    )
    session.flush()
    record_deed(session, actor, _deed(refund, "refund.approve" if approved else "refund.reject", reason), now)


def _posted(line: RefundLine, day: date) -> Posted:
    kind, source = approval_entry(line.id)
    debit = FAMILY_CREDIT if line.transfer_id is None else SUSPENSE
    moved = Line(debit, REFUND_PAYABLE, line.amount, line.pupil_id, line.item_code)
    return Posted(Fact(line.school_id, kind, source, day), (moved,))


def _line(vault: Vault, refund: Refund, wanted: Wanted | WantedBack) -> RefundLine:
    payee = wanted.payee
    pupil, item = (wanted.pupil_id, wanted.item_code) if isinstance(wanted, Wanted) else (None, None)
    return RefundLine(
        school_id=refund.school_id,
        refund_id=refund.id,
        pupil_id=pupil,
        transfer_id=None if isinstance(wanted, Wanted) else wanted.transfer_id,
        item_code=item,
        amount=wanted.amount,
        way=payee.way,
        payee_sealed=vault.seal(payee.name.strip(), PAYEE_CONTEXT) if payee.name.strip() else None,
        bank_bin=payee.bank_bin or None,
        account_sealed=vault.seal(payee.account, ACCOUNT_CONTEXT) if payee.account else None,
        account_masked=payee.masked,
        payee_source=payee.source if payee.account else None,
        proof=payee.proof.strip()[:LONGEST_PROOF] if payee.account else "",
        code=new_code(secrets.randbelow) if payee.account else None,
    )


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc hoàn tiền phải do một người có tên làm.")
    return actor.user_id


def _deed(refund: Refund, action: str, reason: str = "") -> Deed:
    return Deed(refund.school_id, action, "refund", str(refund.id), reason)
