"""A round on paper: the slips of a class, those of all classes in one file, and the list of who was told how."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.documents.filling import pupil_codes
from billing.documents.slip_filling import Printing, slips
from billing.documents.slip_pdf import slips_pdf
from billing.errors import NotFound, Refused
from billing.events.recording import BILL_ISSUED
from billing.events.tables import Event
from billing.money import total
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, Contact, Guardianship, Pupil
from billing.rounds.tables import ISSUED_STATES, BillingRound
from notifications.tables import Message
from service.access.registrations import ensure_registration_links
from service.pages.round_views import Notice, NoticesPage, SlipClass, SlipsPage
from service.pages.typed import school_day

CHANNEL_NAMES = {"zalo": "Zalo", "sms": "tin nhắn SMS", "email": "e-mail"}
STATE_NAMES = {
    "pending": "đang gửi",
    "accepted": "đã gửi",
    "failed": "không gửi được",
    "unknown": "chưa rõ đã đến chưa",
    "superseded": "đã thay bằng cách khác",
}


@dataclass(frozen=True, slots=True)
class Press:
    """What slips are printed with: the web's address, the secret of registration links, the moment."""

    address: str
    link_key: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class _InClass:
    """The live bills of one class in a round, by pupil."""

    group: ClassGroup
    bills: Mapping[UUID, Sequence[BillBalance]]

    @property
    def to_pay(self) -> list[BillBalance]:
        """The bills of which something is still to be paid."""
        return [balance for bills in self.bills.values() for balance in bills if balance.rest]


def slips_page(session: Session, billing_round: BillingRound) -> SlipsPage:
    """Return what of an issued round can be printed, class by class."""
    found = _classes(session, billing_round)
    requests = _requests(session, [balance.bill_id for each in found for balance in each.to_pay])
    return SlipsPage(
        round_id=str(billing_round.id),
        title=billing_round.name,
        classes=tuple(
            SlipClass(
                str(each.group.id),
                each.group.code,
                len({requests[balance.bill_id] for balance in each.to_pay if balance.bill_id in requests}),
                sum(not any(balance.rest for balance in bills) for bills in each.bills.values()),
            )
            for each in found
        ),
    )


def class_slips(session: Session, billing_round: BillingRound, class_id: UUID, press: Press) -> bytes:
    """Return the slips of one class as a PDF, in the order of its list; raises ``NotFound`` when there are none."""
    for each in _classes(session, billing_round):
        if each.group.id == class_id and (pdf := _pdf(session, each, press)):
            return pdf
    raise NotFound("Lớp này không có thông báo nào còn phải nộp trong đợt thu; không có gì để in.")


def all_slips(session: Session, billing_round: BillingRound, press: Press) -> IO[bytes]:
    """Return the slips of all classes as one ZIP of PDFs in a temporary file: one class in memory at a time."""
    classes = _classes(session, billing_round)
    if not any(each.to_pay for each in classes):
        raise NotFound("Đợt thu này không có thông báo nào còn phải nộp; không có gì để in.")
    with ExitStack() as unless_done:
        stream: IO[bytes] = unless_done.enter_context(TemporaryFile())
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as folder:
            for each in classes:
                pdf = _pdf(session, each, press)
                if pdf:
                    folder.writestr(zipfile.ZipInfo(f"{each.group.code}.pdf", press.now.timetuple()[:6]), pdf)
        stream.seek(0)
        unless_done.pop_all()  # from here on, the answer closes it
        return stream


def notices_page(session: Session, billing_round: BillingRound, now: datetime) -> NoticesPage:
    """Return who was told of the round by which channel, and who has no contact."""
    found = _classes(session, billing_round)
    pupils = {pupil for each in found for pupil in each.bills}
    names, codes = _names(session, pupils), pupil_codes(session, pupils)
    told, reachable = _told(session, billing_round), _reachable(session, pupils, now)
    classes = tuple(
        (
            each.group.code,
            tuple(
                Notice(
                    names[pupil],
                    codes.get(pupil, ""),
                    total(balance.rest for balance in each.bills[pupil]),
                    tuple(told.get(pupil, ())),
                    pupil in reachable,
                )
                for pupil in sorted(each.bills, key=lambda pupil: sort_key(names[pupil]))
            ),
        )
        for each in found
    )
    return NoticesPage(
        round_id=str(billing_round.id),
        title=billing_round.name,
        classes=classes,
        told=sum(pupil in told for pupil in pupils),
        unreachable=len(pupils - reachable),
        total=len(pupils),
    )


def _classes(session: Session, billing_round: BillingRound) -> list[_InClass]:
    """Return the round's live bills by class and pupil; raises ``Refused`` before the issue."""
    if billing_round.state not in ISSUED_STATES:
        raise Refused("Đợt thu chưa phát hành nên chưa có gì để in. Xin duyệt và phát hành trước.")
    balances = {
        balance.bill_id: balance
        for balance in bill_balances(
            session, col(Bill.school_id) == billing_round.school_id, col(Bill.round_id) == billing_round.id
        )
        if not balance.void
    }
    rows = session.exec(
        select(Bill, ClassGroup)
        .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
        .where(Bill.school_id == billing_round.school_id, Bill.round_id == billing_round.id)
        .order_by(col(ClassGroup.grade), col(ClassGroup.code), col(Bill.number))
    ).all()
    groups: dict[UUID, ClassGroup] = {}
    bills: defaultdict[UUID, defaultdict[UUID, list[BillBalance]]] = defaultdict(lambda: defaultdict(list))
    for bill, group in rows:
        if bill.id in balances:
            groups[group.id] = group
            bills[group.id][bill.pupil_id].append(balances[bill.id])
    return [_InClass(group, bills[class_id]) for class_id, group in groups.items()]


def _pdf(session: Session, in_class: _InClass, press: Press) -> bytes:
    requests = _requests(session, [balance.bill_id for balance in in_class.to_pay])
    names = _names(session, in_class.bills)
    of_pupil = sorted(in_class.to_pay, key=lambda balance: (sort_key(names[balance.pupil_id]), balance.number))
    wanted = dict.fromkeys(requests[balance.bill_id] for balance in of_pupil if balance.bill_id in requests)
    if not wanted:
        return b""
    pupils = {balance.pupil_id for balance in of_pupil}
    school_id = in_class.group.school_id
    urls = ensure_registration_links(session, press.link_key, press.address, school_id, pupils, press.now)
    return slips_pdf(slips(session, list(wanted), Printing(press.address, school_day(press.now), urls)))


def _requests(session: Session, bills: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the newest payment request of each bill."""
    rows = session.exec(
        select(col(PaymentRequestBill.bill_id), col(PaymentRequest.id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .where(col(PaymentRequestBill.bill_id).in_(bills))
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))
    ).all()
    return dict(rows)


def _names(session: Session, pupils: Collection[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())


def _told(session: Session, billing_round: BillingRound) -> dict[UUID, list[str]]:
    """Return, by pupil, each message about the round: channel and what became of it."""
    rows = session.exec(
        select(Message)
        .join(Event, col(Event.id) == col(Message.event_id))
        .where(
            Message.school_id == billing_round.school_id,
            Event.kind == BILL_ISSUED,
            col(Event.facts)["round"].as_string() == str(billing_round.id),
            Message.state != "superseded",
        )
        .order_by(col(Message.made_at), col(Message.id))
    ).all()
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in rows:
        found[row.pupil_id].append(f"{CHANNEL_NAMES[row.channel]}: {STATE_NAMES[row.state]}")
    return dict(found)


def _reachable(session: Session, pupils: Collection[UUID], now: datetime) -> set[UUID]:
    today = school_day(now)
    rows = session.exec(
        select(col(Guardianship.pupil_id))
        .join(Contact, col(Contact.guardian_id) == col(Guardianship.guardian_id))
        .where(
            col(Guardianship.pupil_id).in_(pupils),
            col(Guardianship.receives_notices),
            col(Guardianship.valid_from) <= today,
            col(Guardianship.valid_to).is_(None) | (col(Guardianship.valid_to) >= today),
            col(Contact.valid_to).is_(None),
        )
    ).all()
    return set(rows)
