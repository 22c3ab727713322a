"""The office asks families to answer: a contract to agree to, an item open for registration; again, but not too often.

An invitation is an event, as a notice is: who is told, by which channel and not before when follows the same rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.asking import who_may_choose
from billing.choices.offering import deed_of, find_offer
from billing.contracts.stepping import hold_contract
from billing.errors import Conflict, Refused
from billing.events.recording import CHOICE_OFFERED, CONTRACT_OFFERED, record_event, record_events
from billing.events.tables import Event
from billing.fees.item_rows import one_at_a_time
from billing.payments.tables import PaymentRequest
from notifications.planning import NO_CHANNEL
from notifications.quiet import SCHOOL_TIME
from notifications.rules import Invitation, Silence
from notifications.tables import Message, NoticePlan

MOST = 3
"""How often a family is asked about one link or one offer: once, and twice again."""


def invite_to_contract(  # noqa: PLR0913, PLR0917  to which contract, by which link, until when
    session: Session, school_id: UUID, contract_id: UUID, turn: int, until: date, actor: Actor, now: datetime
) -> None:
    """Send the link of a draft to the guardians of its child; ``turn`` is the link's, ``until`` its last day.

    Raises ``Conflict`` for a contract that is no draft, and when the family was asked today or often enough already;
    ``Refused`` after the last day.
    """
    contract = hold_contract(session, school_id, contract_id, "draft")
    if _day(now) > until:
        raise Refused("Đường dẫn đã hết hạn. Hãy tạo đường dẫn mới; gia đình nhận tin ngay.")
    askings = _contract_askings(session, school_id, contract_id)
    # Another link is another thing to tell, even on the same day; but not a phone that rings all day long.
    _refuse_often([at for at, found in askings if found == turn], now)
    if sum(_day(at) == _day(now) for at, _ in askings) >= MOST:
        raise Conflict(f"Hôm nay đã gửi {MOST} tin về hợp đồng này. Hãy gọi điện cho gia đình.", contract=contract.id)
    record_event(session, school_id, CONTRACT_OFFERED, contract.id, now, turn=turn, until=until.isoformat())
    session.flush()
    record_deed(session, actor, Deed(school_id, "contract.send_link", "contract", str(contract.id)), now, turn=turn)


def invite_to_choose(session: Session, school_id: UUID, offer_id: UUID, actor: Actor, now: datetime) -> int:
    """Send the families that have not answered an open offer the way to it; return how many.

    Raises ``Conflict`` when it is closed or over, and when they were asked today or often enough already; ``Refused``
    when nobody is left to ask. A child that never had a notice has no page yet and is left to the school.
    """
    one_at_a_time(session, school_id)
    offer = find_offer(session, school_id, offer_id)
    today = _day(now)
    if offer.closed_at is not None or offer.closes_on < today:
        raise Conflict("Đăng ký này đã đóng hoặc hết hạn, không gửi tin nữa.", offer=offer.id)
    _refuse_often(_offer_askings(session, school_id, offer_id), now)
    pages = _newest_requests(session, school_id, who_may_choose(session, offer, today))
    if not pages:
        raise Refused("Không còn gia đình nào để gửi: các em đã đăng ký, hoặc chưa có thông báo thu nào để mở trang.")
    record_events(session, school_id, CHOICE_OFFERED, ((page, {"offer": str(offer.id)}) for page in pages), now)
    record_deed(session, actor, deed_of(offer, "choices.invite"), now, families=len(pages))
    return len(pages)


def contract_invitations(session: Session, school_id: UUID, contract_id: UUID) -> list[Invitation]:
    """Return how the family of a contract was asked so far, oldest first."""
    return _invitations(session, school_id, Event.kind == CONTRACT_OFFERED, Event.subject_id == contract_id)


def offer_invitations(session: Session, school_id: UUID, offer_id: UUID) -> list[Invitation]:
    """Return how the families of an offer were asked so far, oldest first."""
    return _invitations(session, school_id, Event.kind == CHOICE_OFFERED, _of_offer(offer_id))


def _refuse_often(askings: Sequence[datetime], now: datetime) -> None:
    if any(_day(at) == _day(now) for at in askings):
        raise Conflict("Hôm nay đã gửi tin cho gia đình về việc này. Mai hãy gửi lại, hoặc gọi điện.")
    if len(askings) >= MOST:
        raise Conflict(f"Đã gửi {MOST} lần về việc này. Hãy gọi điện hoặc nhắn qua cô giáo, không gửi tin nữa.")


def _contract_askings(session: Session, school_id: UUID, contract_id: UUID) -> list[tuple[datetime, int]]:
    """Return when the family of a contract was asked, and by which link."""
    rows = session.exec(
        select(Event).where(
            Event.school_id == school_id, Event.kind == CONTRACT_OFFERED, Event.subject_id == contract_id
        )
    ).all()
    return [(row.occurred_at, row.facts["turn"]) for row in rows]


def _offer_askings(session: Session, school_id: UUID, offer_id: UUID) -> list[datetime]:
    """Return when the families of an offer were asked; one moment is one asking."""
    rows = session.exec(
        select(Event.occurred_at)
        .where(Event.school_id == school_id, Event.kind == CHOICE_OFFERED, _of_offer(offer_id))
        .distinct()
    ).all()
    return list(rows)


def _of_offer(offer_id: UUID) -> ColumnElement[bool]:
    offer: ColumnElement[str] = col(Event.facts)["offer"].as_string()
    return offer == str(offer_id)


def _newest_requests(session: Session, school_id: UUID, pupils: Collection[UUID]) -> list[UUID]:
    """Return the newest payment request of each pupil that has one."""
    rows = session.exec(
        select(PaymentRequest.pupil_id, PaymentRequest.id)
        .where(PaymentRequest.school_id == school_id, col(PaymentRequest.pupil_id).in_(pupils))
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))
    ).all()
    return sorted(dict(rows).values())


def _invitations(session: Session, school_id: UUID, *which: ColumnElement[bool] | bool) -> list[Invitation]:
    """Return askings by their moment, with what became of the messages of each."""
    events = session.exec(
        select(Event.id, Event.occurred_at).where(Event.school_id == school_id, *which).order_by(col(Event.id))
    ).all()
    ids = [event_id for event_id, _ in events]
    plans = select(NoticePlan.event_id, NoticePlan.reason).where(
        NoticePlan.school_id == school_id, col(NoticePlan.event_id).in_(ids)
    )
    planned = dict(session.exec(plans).all())
    states: dict[int, set[str]] = {}
    for event_id, state in session.exec(
        select(Message.event_id, Message.state).where(Message.school_id == school_id, col(Message.event_id).in_(ids))
    ).all():
        states.setdefault(event_id, set()).add(state)
    found: dict[datetime, list[str]] = {}
    for one, at in events:
        key = one or 0
        found.setdefault(at, []).append(_became(states.get(key, set()), planned.get(key)))
    return [_counted(at, each) for at, each in sorted(found.items())]


_UNREACHED = frozenset({NO_CHANNEL, Silence.NO_GUARDIAN, Silence.NO_CONTACT, Silence.NOT_WANTED})


def _became(states: Collection[str], reason: str | None) -> str:
    """Return what became of one family's messages; ``moot`` where it had answered before they were sent."""
    if reason is None or "pending" in states:
        return "waiting"
    if {"accepted", "unknown"} & set(states):
        return "accepted"
    return "unreached" if reason in _UNREACHED or "failed" in states else "moot"


def _counted(at: datetime, became: Sequence[str]) -> Invitation:
    counts = Counter(became)
    return Invitation(at, len(became), counts["accepted"], counts["waiting"], counts["unreached"])


def _day(at: datetime) -> date:
    return at.astimezone(SCHOOL_TIME).date()
