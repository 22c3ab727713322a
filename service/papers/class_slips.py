"""The slips of one class of a round: which bills are live, and the PDF of what is still to be paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.documents.slip_filling import Printing, slips
from billing.documents.slip_pdf import slips_pdf
from billing.errors import Refused
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, Pupil
from billing.rounds.tables import ISSUED_STATES, BillingRound
from service.access.registrations import ensure_registration_links
from service.pages.typed import school_day


@dataclass(frozen=True, slots=True)
class Press:
    """What slips are printed with: the web's address, the secret of registration links, the moment."""

    address: str
    link_key: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class InClass:
    """The live bills of one class in a round, by pupil."""

    group: ClassGroup
    bills: Mapping[UUID, Sequence[BillBalance]]

    @property
    def to_pay(self) -> list[BillBalance]:
        """The bills of which something is still to be paid."""
        return [balance for bills in self.bills.values() for balance in bills if balance.rest]


@dataclass(frozen=True, slots=True)
class ClassSlips:
    """How many slips a class has to print, and their PDF; none of both where nothing is to be paid."""

    count: int
    pdf: bytes


def classes_of(session: Session, billing_round: BillingRound, only: UUID | None = None) -> list[InClass]:
    """Return the round's live bills by class (or those of one class) and pupil; raises ``Refused`` before the issue."""
    if billing_round.state not in ISSUED_STATES:
        raise Refused("Đợt thu chưa phát hành nên chưa có gì để in. Xin duyệt và phát hành trước.")
    wanted = [col(Bill.school_id) == billing_round.school_id, col(Bill.round_id) == billing_round.id]
    if only is not None:
        wanted.append(col(Bill.class_id) == only)
    balances = {balance.bill_id: balance for balance in bill_balances(session, *wanted) if not balance.void}
    rows = session.exec(
        select(Bill, ClassGroup)
        .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
        .where(*wanted)
        .order_by(col(ClassGroup.grade), col(ClassGroup.code), col(Bill.number))
    ).all()
    groups: dict[UUID, ClassGroup] = {}
    bills: defaultdict[UUID, defaultdict[UUID, list[BillBalance]]] = defaultdict(lambda: defaultdict(list))
    for bill, group in rows:
        if bill.id in balances:
            groups[group.id] = group
            bills[group.id][bill.pupil_id].append(balances[bill.id])
    return [InClass(group, bills[class_id]) for class_id, group in groups.items()]


def print_class(session: Session, in_class: InClass, press: Press) -> ClassSlips:
    """Return the slips of one class, in the order of its list."""
    requests = requests_of(session, [balance.bill_id for balance in in_class.to_pay])
    names = names_of(session, in_class.bills)
    of_pupil = sorted(in_class.to_pay, key=lambda balance: (sort_key(names[balance.pupil_id]), balance.number))
    wanted = dict.fromkeys(requests[balance.bill_id] for balance in of_pupil if balance.bill_id in requests)
    if not wanted:
        return ClassSlips(0, b"")
    pupils = {balance.pupil_id for balance in of_pupil}
    school_id = in_class.group.school_id
    urls = ensure_registration_links(session, press.link_key, press.address, school_id, pupils, press.now)
    made = slips(session, list(wanted), Printing(press.address, school_day(press.now), urls))
    return ClassSlips(len(wanted), slips_pdf(made))


def requests_of(session: Session, bills: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the newest payment request of each bill."""
    rows = session.exec(
        select(col(PaymentRequestBill.bill_id), col(PaymentRequest.id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .where(col(PaymentRequestBill.bill_id).in_(bills))
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))
    ).all()
    return dict(rows)


def names_of(session: Session, pupils: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of pupils."""
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
