"""Asking that a transfer nobody could place goes back: whole, to a named account, with a reason; another decides.

Money of which a part is some pupil's is assigned first (docs/refunds.md); the rest is then that pupil's credit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.credits.payee import PAYER, TYPED, Payee
from billing.credits.refunding import WantedBack, ask_back
from billing.credits.tables import Refund
from billing.errors import Conflict, NotFound, Refused
from billing.people.kinship import refuse_own_family
from billing.vault import Vault
from reconciliation.concerned import suggested_pupils
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.returning.payees import paying_account
from reconciliation.tables import Transfer


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where a transfer is to go back to: the paying account (only its bank is told, by BIN), or one typed in full."""

    source: str
    bank_bin: str
    name: str = ""
    account: str = ""
    proof: str = ""


def ask_return(  # noqa: PLR0913, PLR0917  which money, whereto, why, who says so and when
    session: Session,
    vault: Vault,
    actor: Actor,
    school_id: UUID,
    transfer_id: UUID,
    chosen: Chosen,
    reason: str,
    now: datetime,
) -> Refund:
    """Ask that a waiting transfer goes back to its payer.

    Raises ``NotFound``, ``Conflict`` when it waits no more, is asked back already or an act of the queue about it is
    open, ``Refused`` without a reason or an account that may be paid to.
    """
    transfer = waiting_transfer(session, school_id, transfer_id)
    refuse_own_family(session, actor, school_id, suggested_pupils(session, transfer))
    refuse_decided_elsewhere(session, transfer)
    payee = _payee(session, vault, transfer, chosen)
    return ask_back(session, vault, actor, school_id, WantedBack(transfer.id, transfer.amount, payee), reason, now)


def waiting_transfer(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Return money in that waits for a person, locked; raises ``NotFound``, or ``Conflict`` when it waits no more."""
    transfer = session.exec(
        select(Transfer)
        .where(Transfer.school_id == school_id, Transfer.id == transfer_id, Transfer.direction == "in")
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if transfer is None:
        raise NotFound("Không có giao dịch này.", transfer=transfer_id)
    if transfer.state != "waiting":
        raise Conflict("Giao dịch này không còn chờ xử lý: đã ghi nhận hoặc đang trả lại. Xin mở lại trang.")
    return transfer


def _payee(session: Session, vault: Vault, transfer: Transfer, chosen: Chosen) -> Payee:
    if chosen.source == TYPED:
        return Payee(chosen.name, chosen.bank_bin, chosen.account, TYPED, chosen.proof)
    if chosen.source != PAYER:
        raise Refused("Hãy chọn trả về tài khoản đã chuyển, hoặc nhập tài khoản khác kèm căn cứ.")
    paying = paying_account(session, vault, transfer)
    if not paying.usable:
        raise Refused(f"Không trả thẳng về tài khoản đã chuyển được: {paying.against}. Hãy nhập tài khoản kèm căn cứ.")
    return Payee(paying.name, chosen.bank_bin, paying.account, PAYER)
