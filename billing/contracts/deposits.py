"""The place deposit: a bill of its own, paid as any other; then credit of the child, or kept by the contract.

The deposit is a liability (348) from its bill on. Nothing is released from it but by a correction that another person
approves, into the child's credit, and by what the contract lets the school keep.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from billing.audit.recording import SYSTEM, record_deed
from billing.bills.tables import Bill, BillLine
from billing.bills.writing import NewBill
from billing.contracts.reading import DEPOSIT_ITEM, find_version
from billing.contracts.tables import Contract, ContractApproval, ContractVersion
from billing.contracts.terms import DepositTerms
from billing.errors import NotFound
from billing.fees.charges import Because, ChargeLine, MonthFacts
from billing.fees.item_rows import find_item
from billing.fees.items import Quantity, Span
from billing.fees.schedule import item_ids, item_of
from billing.money import Money
from billing.payments.balances import BillBalance, bill_balances
from billing.rounds.drafting import round_deed
from billing.rounds.issuing import alone, new_lines, next_numbers, put_out
from billing.rounds.tables import BillingRound
from billing.storage import new_id


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit as it stands: its bill and line, and what was paid of it."""

    balance: BillBalance
    line_id: int

    @property
    def paid(self) -> Money:
        """What was paid and not given back."""
        return self.balance.paid


def bill_deposit(  # noqa: PLR0913, PLR0917  whose deposit, until when, with which key
    session: Session, contract: Contract, terms: DepositTerms, due_on: date, now: datetime, reference_key: bytes
) -> UUID:
    """Issue the bill of a deposit with its reference and QR; return its id. The amount is the approved version's."""
    version = find_version(session, contract.school_id, contract.version_id)
    billing_round = alone(session, _round(session, contract, version, due_on, now).id)
    item = item_of(find_item(session, contract.school_id, DEPOSIT_ITEM))
    month = MonthFacts(f"{billing_round.period_from:%Y-%m}", 1)
    line = ChargeLine(
        item=item,
        quantity=1,
        unit_price=terms.amount,
        gross=terms.amount,
        reductions=(),
        family_share=terms.amount,
        because=Because(Quantity.FIXED, Span(version.valid_from), (), (month,)),
    )
    bill = NewBill(
        id=new_id(),
        number=next(next_numbers(session, billing_round)),
        enrolment_id=None,
        pupil_id=contract.pupil_id,
        class_id=None,
        bank_account_id=UUID(item.account),
        lines=new_lines((line,), item_ids(session, contract.school_id)),
    )
    put_out(session, billing_round, [(bill, (line,))], now, reference_key)
    return bill.id


def deposit_of(session: Session, school_id: UUID, bill_id: UUID) -> Deposit:
    """Return a deposit by its bill; raises ``NotFound``."""
    balances = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id) == bill_id)
    line = session.exec(
        select(BillLine.id).where(
            BillLine.school_id == school_id, BillLine.bill_id == bill_id, BillLine.item_code == DEPOSIT_ITEM
        )
    ).one_or_none()
    if not balances or line is None:
        raise NotFound("Không tìm thấy tiền giữ chỗ này.", bill=bill_id)
    return Deposit(balances[0], line)


def _round(session: Session, contract: Contract, version: ContractVersion, due_on: date, now: datetime) -> BillingRound:
    """Return the round of deposits of one version that are due on one day, made with the first of them.

    Its content was approved with the version; each deposit in it is of the version's amount.
    """
    digest = hashlib.sha256(json.dumps([str(version.id), version.terms], sort_keys=True).encode()).digest()
    of_year = (
        BillingRound.school_id == contract.school_id,
        BillingRound.school_year == contract.school_year,
        BillingRound.kind == "deposit",
    )
    found = session.exec(
        select(BillingRound).where(*of_year, BillingRound.due_on == due_on, BillingRound.preview_digest == digest)
    ).first()
    if found is not None:
        return found
    approval = session.exec(select(ContractApproval).where(ContractApproval.version_id == version.id)).one()
    many = session.exec(select(func.count()).select_from(BillingRound).where(*of_year)).one()
    first = min(version.valid_from, due_on)
    made = BillingRound(
        school_id=contract.school_id,
        school_year=contract.school_year,
        code=f"GC-{many + 1:03d}",
        name=f"Tiền giữ chỗ năm học {contract.school_year}",
        period_from=first,
        period_to=due_on,
        due_on=due_on,
        kind="deposit",
        state="issued",
        preview_digest=digest,
        made_by=version.made_by,
        made_at=now,
        submitted_at=now,
        approved_by=approval.approved_by,
        approved_at=approval.at,
        issued_at=now,
    )
    session.add(made)
    session.flush()
    for action in ("round.approve", "round.issue"):
        record_deed(session, SYSTEM, round_deed(made, action, f"Mẫu hợp đồng {version.code}"), now)
    return made
