"""The accountant opens an item for registration by families, and closes it again."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.tables import ChoiceOffer
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.contracted import is_contracts
from billing.fees.item_rows import find_item, one_at_a_time
from billing.fees.items import Quantity, Span
from billing.fees.schedule import read_prices
from billing.fees.tables import FeeItem
from billing.plans.rules import local_day

MOST_WORDS = 600


@dataclass(frozen=True, slots=True)
class NewOffer:
    """What is opened: an item, its first day of service, the last day to register, and words for families."""

    code: str
    first_day: date
    closes_on: date
    words: str


def open_offer(session: Session, school_id: UUID, new: NewOffer, actor: Actor, now: datetime) -> ChoiceOffer:
    """Open an item for registration by families.

    Raises ``Refused`` for an item that everybody pays, that contracts charge or whose units a family would have to
    count, without a price on the first day, for days that have passed and without words; ``Conflict`` while the item
    is open already.
    """
    one_at_a_time(session, school_id)
    item = find_item(session, school_id, new.code)
    words = " ".join(unicodedata.normalize("NFC", new.words).split())
    _refuse_days(new, local_day(now))
    if not 1 <= len(words) <= MOST_WORDS:
        raise Refused(f"Hãy ghi khoản này dùng vào việc gì để gia đình biết, không quá {MOST_WORDS} chữ cái.")
    _refuse_item(session, item, new.first_day)
    held = session.exec(_open(school_id).where(ChoiceOffer.item_id == item.id)).first()
    if held is not None:
        raise Conflict(
            f"{item.legal_name} đang mở đăng ký đến {held.closes_on:%d/%m/%Y}. Hãy đóng lần đó trước khi mở lại.",
            offer=held.id,
        )
    offer = ChoiceOffer(
        school_id=school_id,
        item_id=item.id,
        first_day=new.first_day,
        closes_on=new.closes_on,
        words=words,
        made_by=person_of(actor),
        made_at=now,
    )
    session.add(offer)
    session.flush()
    first, last = new.first_day.isoformat(), new.closes_on.isoformat()
    record_deed(session, actor, deed_of(offer, "choices.open"), now, item=item.code, first=first, closes=last)
    return offer


def close_offer(session: Session, school_id: UUID, offer_id: UUID, actor: Actor, now: datetime) -> None:
    """Close an offer before or after its deadline; choices that were made stay. Raises ``Conflict`` when it is."""
    one_at_a_time(session, school_id)
    offer = find_offer(session, school_id, offer_id)
    if offer.closed_at is not None:
        raise Conflict("Lần đăng ký này đã đóng. Hãy tải lại trang.", offer=offer.id)
    offer.closed_by, offer.closed_at = person_of(actor), now
    session.add(offer)
    session.flush()
    record_deed(session, actor, deed_of(offer, "choices.close"), now)


def find_offer(session: Session, school_id: UUID, offer_id: UUID) -> ChoiceOffer:
    """Return an offer of a school; raises ``NotFound``."""
    found = session.exec(
        select(ChoiceOffer).where(ChoiceOffer.school_id == school_id, ChoiceOffer.id == offer_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không có lần đăng ký này ở trường.", offer=offer_id)
    return found


def offers_on(session: Session, school_id: UUID, today: date) -> list[ChoiceOffer]:
    """Return the offers that families may use today, the one that closes first first."""
    rows = session.exec(
        _open(school_id).where(ChoiceOffer.closes_on >= today).order_by(col(ChoiceOffer.closes_on), col(ChoiceOffer.id))
    ).all()
    return list(rows)


def deed_of(offer: ChoiceOffer, action: str, reason: str = "") -> Deed:
    """Return a deed about an offer."""
    return Deed(offer.school_id, action, "choice_offer", str(offer.id), reason)


def person_of(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for nobody."""
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    return actor.user_id


def _open(school_id: UUID) -> SelectOfScalar[ChoiceOffer]:
    return select(ChoiceOffer).where(ChoiceOffer.school_id == school_id, col(ChoiceOffer.closed_at).is_(None))


def _refuse_days(new: NewOffer, today: date) -> None:
    if new.closes_on < today:
        raise Refused(f"Hạn đăng ký {new.closes_on:%d/%m/%Y} đã qua. Hãy chọn từ hôm nay.")
    if new.first_day < today:
        raise Refused(f"Ngày bắt đầu {new.first_day:%d/%m/%Y} đã qua; gia đình không đăng ký cho ngày đã qua.")


def _refuse_item(session: Session, item: FeeItem, first_day: date) -> None:
    if not item.opt_in:
        raise Refused(f"Khoản thu {item.legal_name} thu của mọi học sinh, không cần đăng ký.", item=item.code)
    if is_contracts(item):
        raise Refused(f"{item.legal_name} chỉ thu theo hợp đồng. Hãy ghi ở trang Hợp đồng.", item=item.code)
    prices = read_prices(session, item.school_id, Span(first_day, first_day))
    mine = [price for price in prices if price.item.code == item.code]
    if not mine:
        raise Refused(
            f"{item.legal_name} chưa có mức thu ngày {first_day:%d/%m/%Y}. Hãy đặt mức thu trước.", item=item.code
        )
    if any(price.quantity is Quantity.REGISTERED for price in mine):
        raise Refused(
            f"{item.legal_name} tính theo số lượng của từng em; văn phòng ghi đăng ký kèm số lượng theo từng lớp.",
            item=item.code,
        )
