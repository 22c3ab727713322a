"""A round on paper: the slips of a class, how far a print of all classes is, and the list of who was told how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.documents.filling import pupil_codes
from billing.errors import NotFound
from billing.events.recording import BILL_ISSUED
from billing.events.tables import Event
from billing.money import total
from billing.people.names import sort_key
from billing.people.tables import Contact, Guardianship
from billing.rounds.tables import BillingRound
from notifications.tables import Message
from service.pages.round_views import Notice, NoticesPage, SlipClass, SlipsPage
from service.pages.typed import school_day
from service.papers.class_slips import Press, classes_of, names_of, print_class, requests_of
from service.papers.round_prints import newest_print

CHANNEL_NAMES = {"zalo": "Zalo", "sms": "tin nhắn SMS", "email": "e-mail"}
STATE_NAMES = {
    "pending": "đang gửi",
    "accepted": "đã gửi",
    "failed": "không gửi được",
    "unknown": "chưa rõ đã đến chưa",
    "superseded": "đã thay bằng cách khác",
}


def slips_page(session: Session, billing_round: BillingRound, now: datetime) -> SlipsPage:
    """Return what of an issued round can be printed, class by class."""
    found = classes_of(session, billing_round)
    requests = requests_of(session, [balance.bill_id for each in found for balance in each.to_pay])
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
        whole=newest_print(session, billing_round, now),
    )


def class_slips(session: Session, billing_round: BillingRound, class_id: UUID, press: Press) -> bytes:
    """Return the slips of one class as a PDF, in the order of its list; raises ``NotFound`` when there are none."""
    for each in classes_of(session, billing_round, class_id):
        if pdf := print_class(session, each, press).pdf:
            return pdf
    raise NotFound("Lớp này không có thông báo nào còn phải nộp trong đợt thu; không có gì để in.")


def notices_page(session: Session, billing_round: BillingRound, now: datetime) -> NoticesPage:
    """Return who was told of the round by which channel, and who has no contact.

    Only those of whom something is or was asked: a list by class, printed and handed on, would name the exempt.
    """
    found, told = classes_of(session, billing_round), _told(session, billing_round)
    asked = [
        (each, {pupil: bills for pupil, bills in each.bills.items() if pupil in told or any(one.due for one in bills)})
        for each in found
    ]
    pupils = {pupil for _, bills in asked for pupil in bills}
    names, codes = names_of(session, pupils), pupil_codes(session, pupils)
    reachable = _reachable(session, pupils, now)
    classes = tuple(
        (
            each.group.code,
            tuple(
                Notice(
                    names[pupil],
                    codes.get(pupil, ""),
                    total(balance.rest for balance in bills[pupil]),
                    tuple(told.get(pupil, ())),
                    pupil in reachable,
                )
                for pupil in sorted(bills, key=lambda pupil: sort_key(names[pupil]))
            ),
        )
        for each, bills in asked
        if bills
    )
    return NoticesPage(
        round_id=str(billing_round.id),
        title=billing_round.name,
        classes=classes,
        told=sum(pupil in told for pupil in pupils),
        unreachable=len(pupils - reachable),
        total=len(pupils),
    )


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
