"""A guardian chooses for a child, with evidence; the school may say no. What is charged stays with the registrations.

Who chooses has proved a contact with a one-time code; the words and the price that stood on the page are kept with
their digest, and a page that has grown old meanwhile is refused, so that nobody agrees to what was not shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import find_offer, person_of
from billing.choices.reading import RefusedItem, billed_until, pupil_choices
from billing.choices.tables import ChoiceOffer, ChoiceRefusal, FamilyChoice
from billing.choices.wording import Statement
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.explaining import Language
from billing.fees.item_rows import one_at_a_time
from billing.fees.registering import Registration, end_registrations, register
from billing.fees.tables import FeeItem
from billing.people.tables import Contact, Guardianship
from billing.plans.rules import local_day
from billing.visible import is_blank


@dataclass(frozen=True, slots=True)
class Chooser:
    """Who chooses for which child: guardian rows of one proven contact, and the digest of the session it opened."""

    pupil_id: UUID
    guardians: Collection[UUID]
    contact_kind: str
    contact_blind: bytes
    session_hash: bytes


@dataclass(frozen=True, slots=True)
class _Signer:
    """Who stands behind a choice, as it is kept."""

    guardian_id: UUID
    masked: str
    contact_kind: str
    session_hash: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed when somebody said yes: the digest of its words, and in which language."""

    digest: bytes
    language: Language


def choose(  # noqa: PLR0913, PLR0917  who, what, having seen what
    session: Session, school_id: UUID, chooser: Chooser, offer_id: UUID, seen: Seen, actor: Actor, now: datetime
) -> bool:
    """Register a child for an open item; return false when it is registered already, and then nothing is written.

    Raises ``NotFound`` for an offer of another school, ``NotAllowed`` for another's child, ``Refused`` after the
    deadline and where the school has refused it, and ``Conflict`` when the page no longer says what holds.
    """
    one_at_a_time(session, school_id)
    today = local_day(now)
    signer = _signer(session, chooser, today)
    offer = find_offer(session, school_id, offer_id)
    _refuse_closed(session, offer, today)
    found = pupil_choices(session, school_id, chooser.pupil_id, today, seen.language)
    mine = next((each for each in found.open if each.offer.id == offer.id), None)
    if mine is None and any(each.item.id == offer.item_id for each in found.held):
        return False
    if mine is None:
        raise _not_open(found.refused, offer)
    _refuse_stale(mine.statement, seen)
    choice = _choice(signer, mine.item, mine.enrolment_id, mine.day, mine.statement, now)
    choice.kind, choice.offer_id, choice.price = "register", offer.id, mine.price
    _keep(session, choice, actor, now)
    evidence = f"Gia đình tự đăng ký bằng mã gửi tới {signer.masked} ngày {today:%d/%m/%Y}, phiếu {choice.id}"
    registration = Registration(mine.enrolment_id, mine.item.code, mine.day, evidence, source="family")
    register(session, school_id, actor, [registration], now)
    return True


def stop(  # noqa: PLR0913, PLR0917  who, what, having seen what
    session: Session, school_id: UUID, chooser: Chooser, code: str, seen: Seen, actor: Actor, now: datetime
) -> bool:
    """End a child's registration after the last day that the page named; false when there is nothing to end any more.

    Raises ``NotAllowed`` for another's child, ``Refused`` for what a contract has written, and ``Conflict`` when the
    page no longer says what holds.
    """
    one_at_a_time(session, school_id)
    today = local_day(now)
    signer = _signer(session, chooser, today)
    found = pupil_choices(session, school_id, chooser.pupil_id, today, seen.language)
    held = next((each for each in found.held if each.item.code == code), None)
    if held is not None and held.by_contract:
        raise Refused(
            f"{held.item.legal_name} theo hợp đồng đã ký nên không tự thôi ở đây được."
            " Muốn thay đổi, xin liên hệ văn phòng nhà trường.",
            item=code,
        )
    if held is None or held.last is None or held.statement is None:
        return False
    _refuse_stale(held.statement, seen)
    choice = _choice(signer, held.item, max(held.enrolments), held.last, held.statement, now)
    _keep(session, choice, actor, now)
    reason = f"Gia đình thôi đăng ký, phiếu {choice.id}"
    end_registrations(session, school_id, actor, code, held.enrolments, held.last, now, reason)
    return True


def refuse_choice(  # noqa: PLR0913, PLR0917  which one, why, by whom
    session: Session, school_id: UUID, choice_id: UUID, reason: str, actor: Actor, now: datetime
) -> None:
    """Say no to a registration, with a reason that the family reads; the registration is withdrawn.

    Raises ``Refused`` without a reason and once a bill charges it, ``Conflict`` when it was refused before.
    """
    one_at_a_time(session, school_id)
    choice = _find_choice(session, school_id, choice_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không nhận đăng ký này để gia đình biết.")
    if session.get(ChoiceRefusal, choice.id) is not None:
        raise Conflict("Đăng ký này đã được từ chối. Hãy tải lại trang.", choice=choice.id)
    item = session.get_one(FeeItem, choice.item_id)
    billed = billed_until(session, school_id, [choice.enrolment_id], item.id)
    if billed is not None and billed >= choice.day:
        raise Refused(
            f"{item.legal_name}: đã có thông báo thu đến {billed:%d/%m/%Y} cho em này, không từ chối được nữa."
            " Hãy kết thúc đăng ký ở trang của lớp, và điều chỉnh thông báo nếu cần.",
            choice=choice.id,
        )
    row = ChoiceRefusal(
        choice_id=choice.id, school_id=school_id, reason=reason.strip(), made_by=person_of(actor), at=now
    )
    session.add(row)
    session.flush()
    record_deed(session, actor, _deed(choice, "choices.refuse", row.reason), now, item=item.code)
    before = choice.day - timedelta(days=1)
    end_registrations(session, school_id, actor, item.code, [choice.enrolment_id], before, now, row.reason)


def _refuse_closed(session: Session, offer: ChoiceOffer, today: date) -> None:
    if offer.closed_at is None and today <= offer.closes_on:
        return
    name = session.get_one(FeeItem, offer.item_id).legal_name
    when = f" (hạn là hết ngày {offer.closes_on:%d/%m/%Y})" if offer.closed_at is None else ""
    raise Refused(f"Đã hết thời gian đăng ký {name}{when}. Muốn đăng ký, xin hỏi văn phòng nhà trường.", offer=offer.id)


def _not_open(refused: Collection[RefusedItem], offer: ChoiceOffer) -> Refused:
    no = next((each for each in refused if each.offer_id == offer.id), None)
    if no is not None:
        return Refused(f"Nhà trường không nhận đăng ký {no.name}: {no.reason}. Xin hỏi văn phòng nhà trường.")
    return Refused("Khoản này không mở cho lớp của em. Xin hỏi văn phòng nhà trường.", offer=offer.id)


def _refuse_stale(statement: Statement, seen: Seen) -> None:
    if statement.digest != seen.digest:
        raise Conflict("Nội dung đăng ký vừa thay đổi. Xin tải lại trang, xem lại rồi xác nhận.")


def _signer(session: Session, chooser: Chooser, today: date) -> _Signer:
    """Return the guardian who answers for the child today; raises ``NotAllowed`` for another's child."""
    contact = (chooser.contact_kind, chooser.contact_blind)
    found = proven_guardian(session, chooser.pupil_id, contact, today, chooser.guardians)
    return _Signer(*found, chooser.contact_kind, chooser.session_hash)


def proven_guardian(
    session: Session, pupil_id: UUID, contact: tuple[str, bytes], today: date, among: Collection[UUID] | None = None
) -> tuple[UUID, str]:
    """Return who answers for a child today by a proven contact (kind and blind index), and the contact masked.

    ``among``: only these guardians. Raises ``NotAllowed`` for the contact of somebody else.
    """
    kind, blind = contact
    query = (
        select(Guardianship.guardian_id, Contact.masked)
        .join(Contact, col(Contact.guardian_id) == col(Guardianship.guardian_id))
        .where(
            Guardianship.pupil_id == pupil_id,
            answers(today),
            Contact.kind == kind,
            Contact.blind == blind,
            Contact.valid_from <= today,
            or_(col(Contact.valid_to).is_(None), col(Contact.valid_to) >= today),
        )
        .order_by(col(Guardianship.id))
    )
    if among is not None:
        query = query.where(col(Guardianship.guardian_id).in_(list(among)))
    row = session.exec(query).first()
    if row is None:
        raise NotAllowed("Liên lạc vừa xác nhận không phải của người được xem thông báo của em này.")
    return row[0], row[1]


def answers(today: date) -> ColumnElement[bool]:
    """Return the condition that a guardianship holds today and lets the guardian see, and so decide about, bills."""
    return and_(
        col(Guardianship.may_see_bills),
        col(Guardianship.valid_from) <= today,
        or_(col(Guardianship.valid_to).is_(None), col(Guardianship.valid_to) >= today),
    )


def _choice(  # noqa: PLR0913, PLR0917  one row of evidence
    signer: _Signer, item: FeeItem, enrolment_id: UUID, day: date, statement: Statement, now: datetime
) -> FamilyChoice:
    return FamilyChoice(
        school_id=item.school_id,
        item_id=item.id,
        enrolment_id=enrolment_id,
        kind="end",
        day=day,
        guardian_id=signer.guardian_id,
        contact_kind=signer.contact_kind,
        contact_masked=signer.masked,
        session_hash=signer.session_hash,
        words=statement.text,
        words_sha256=statement.digest,
        at=now,
    )


def _keep(session: Session, choice: FamilyChoice, actor: Actor, now: datetime) -> None:
    session.add(choice)
    session.flush()
    deed = _deed(choice, f"choices.{choice.kind}")
    details = {"item": str(choice.item_id), "day": choice.day.isoformat(), "words": choice.words_sha256.hex()}
    record_deed(session, actor, deed, now, guardian=str(choice.guardian_id), **details)


def _find_choice(session: Session, school_id: UUID, choice_id: UUID) -> FamilyChoice:
    found = session.exec(
        select(FamilyChoice).where(FamilyChoice.school_id == school_id, FamilyChoice.id == choice_id)
    ).one_or_none()
    if found is None or found.kind != "register":
        raise NotFound("Không có đăng ký này ở trường.", choice=choice_id)
    return found


def _deed(choice: FamilyChoice, action: str, reason: str = "") -> Deed:
    return Deed(choice.school_id, action, "family_choice", str(choice.id), reason)
