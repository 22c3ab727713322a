"""Whose account money goes back to: the paying account, where the bank stated it and it is one family's own.

Wallets, remittance firms and companies pay for many from one account, and so does an account that has paid for more
than two families: what came from there could reach anybody. Source of the rule: ``reconciliation.payers``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.credits.payee import GUARDIAN, PAYER, Payee
from billing.credits.receiving import accounts_of, guardian_payee, refuse_replaced
from billing.credits.refunding import payee_of
from billing.credits.tables import RefundLine
from billing.errors import Conflict, Refused
from billing.payments.tables import Payment, PaymentReversal
from billing.people.tables import Guardianship
from billing.storage import among
from billing.vault import Vault
from reconciliation.payers import PayerKind
from reconciliation.tables import Transfer
from reconciliation.transfers import PAYER_CONTEXT
from reconciliation.weak_signs import MOST_FAMILIES, families_of

_WHY: Mapping[str, str] = {
    PayerKind.WALLET: "tiền đến từ ví điện tử, tài khoản của ví không phải của riêng ai",
    PayerKind.REMITTANCE: "tiền đến qua công ty kiều hối",
    PayerKind.COMPANY: "tiền đến từ tài khoản của một đơn vị",
    PayerKind.UNKNOWN: "chưa rõ tài khoản chuyển là của ai",
}
NOT_STATED = "ngân hàng không nêu tài khoản chuyển"
SHARED = "tài khoản này đã nộp cho hơn hai gia đình"


@dataclass(frozen=True, slots=True)
class Paying:
    """The account that money came from, as the bank named it; ``against`` tells why it must not be paid back to.

    ``transfer_id`` is the money that it sent; it stands in forms, so that no number has to.
    """

    account: str = ""
    name: str = ""
    against: str = ""
    transfer_id: UUID | None = None

    @property
    def usable(self) -> bool:
        """Whether money may go back there without asking anybody."""
        return not self.against


def paying_account(session: Session, vault: Vault, transfer: Transfer) -> Paying:
    """Return the account that a transfer came from, and what speaks against paying back to it, if anything does."""
    if transfer.payer_sealed is None or transfer.payer_blind is None:
        return Paying(against=NOT_STATED, transfer_id=transfer.id)
    told = json.loads(vault.open(transfer.payer_sealed, PAYER_CONTEXT))
    account, name = told.get("account") or "", told.get("name") or ""
    against = _against(session, transfer) if account and name else NOT_STATED
    return Paying(account, name, against, transfer.id)


def chosen_payee(  # noqa: PLR0913, PLR0917  whose, and what was chosen and typed
    session: Session, vault: Vault, whose: tuple[UUID, UUID], key: str, bank_bin: str, typed: Payee, today: date
) -> Payee:
    """Return where a pupil's credit goes (``whose``: school and pupil): to a known account, or as typed, or in cash.

    ``key`` is *payer:* and the transfer that the account sent, with its bank chosen; *guardian* for the account that
    the child's guardian entered; empty means as typed.
    Raises ``Refused`` for a key that is not this pupil's.
    """
    if not key:
        return typed
    school_id, pupil_id = whose
    if key == GUARDIAN:
        row = accounts_of(session, school_id, [pupil_id], today).get(pupil_id)
        if row is None:
            raise Refused("Phụ huynh chưa nhập tài khoản nhận tiền. Xin tải lại trang rồi chọn lại.")
        return guardian_payee(vault, row)
    known = {f"{PAYER}:{each.transfer_id}": each for each in paying_accounts_of(session, vault, school_id, pupil_id)}
    if key not in known:
        raise Refused("Tài khoản đã chọn không còn dùng được. Xin tải lại trang rồi chọn lại.")
    return Payee(known[key].name, bank_bin, known[key].account, PAYER)


def paying_accounts_of(session: Session, vault: Vault, school_id: UUID, pupil_id: UUID) -> list[Paying]:
    """Return the accounts from which a pupil's bills were paid and that may be paid back to, the newest first."""
    found: dict[str, Paying] = {}
    for transfer in session.exec(
        select(Transfer)
        .join(Payment, (col(Payment.school_id) == Transfer.school_id) & (col(Payment.source_id) == Transfer.id))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == Payment.id)
        .where(
            Transfer.school_id == school_id,
            Payment.pupil_id == pupil_id,
            Payment.source_kind == "transfer",
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Transfer.occurred_at).desc(), col(Transfer.id))
    ).all():
        paying = paying_account(session, vault, transfer)
        if paying.usable:
            found.setdefault(paying.account, paying)
    return list(found.values())


def refuse_stale_payees(session: Session, vault: Vault, lines: Collection[RefundLine], today: date) -> None:
    """Ask again, when a refund is approved, what was asked when the accounts were chosen.

    Raises ``Conflict`` for a paying account that shows itself a wallet's or shared since, and for a guardian's account
    that was replaced, or whose guardian answers for the child no more.
    """
    refuse_replaced(session, vault, lines, today)
    for line in lines:
        why = _stale(session, vault, line)
        if why:
            raise Conflict(
                f"Tài khoản nhận {line.account_masked} của một khoản {line.amount} nay không dùng được: {why}. "
                "Hãy từ chối đề nghị này rồi lập lại.",
                line=line.id,
            )


def _stale(session: Session, vault: Vault, line: RefundLine) -> str:
    """Return why the paying account of a line may no longer be paid to; nothing for any other line."""
    if line.payee_source != PAYER:
        return ""
    if line.pupil_id is None:
        transfer = session.exec(
            select(Transfer).where(Transfer.school_id == line.school_id, Transfer.id == line.transfer_id)
        ).one()
        return paying_account(session, vault, transfer).against
    usable = {each.account for each in paying_accounts_of(session, vault, line.school_id, line.pupil_id)}
    return (
        ""
        if payee_of(vault, line).account in usable
        else "tài khoản đã chuyển nay là tài khoản chung, hoặc khoản nộp từ đó đã gỡ"
    )


def _against(session: Session, transfer: Transfer) -> str:
    """Return in words why an account is not one family's own; nothing when it is, as far as the school can tell."""
    alike = (Transfer.school_id == transfer.school_id, Transfer.payer_blind == transfer.payer_blind)
    kinds = set(session.exec(select(Transfer.payer_kind).where(*alike).distinct()).all())
    for kind in (PayerKind.WALLET, PayerKind.REMITTANCE, PayerKind.COMPANY):
        if kind.value in kinds:
            return _WHY[kind]
    if PayerKind.PERSON.value not in kinds:
        return _WHY[PayerKind.UNKNOWN]
    pupils = session.exec(
        select(Payment.pupil_id)
        .join(Transfer, (col(Transfer.school_id) == Payment.school_id) & (col(Transfer.id) == Payment.source_id))
        .where(*alike, Payment.source_kind == "transfer")
        .distinct()
    ).all()
    return SHARED if families_of(_guardians(session, pupils)) > MOST_FAMILIES else ""


def _guardians(session: Session, pupils: Collection[UUID]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {str(pupil): [] for pupil in pupils}
    rows = session.exec(
        select(Guardianship.pupil_id, Guardianship.guardian_id).where(
            among(Guardianship.pupil_id, pupils), col(Guardianship.valid_to).is_(None)
        )
    )
    for pupil, guardian in rows:
        found[str(pupil)].append(str(guardian))
    return found
