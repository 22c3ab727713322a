"""The pages of pupils' health insurance, from rows of one school."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.cards.entering import NewCard, number_of
from billing.cards.months import under_six_end
from billing.cards.reading import live_cards, stretches_of
from billing.cards.tables import InsuranceCard
from billing.credits.reading import free_credit
from billing.errors import NotFound, Refused
from billing.fees.council_rates import first_year
from billing.fees.insurance import INSURANCE_ITEM, month_of, rule_on
from billing.fees.insured import insurance_item, read_insurance_rules
from billing.fees.registering import class_members
from billing.insurance.buying import purchases
from billing.insurance.card_sheet import REASON_NAMES
from billing.insurance.changing import issued_months, next_open
from billing.insurance.doubling import doubles_of
from billing.insurance.list_sheet import ListedPupil, ListSheet, list_xlsx
from billing.insurance.listing import Draft, lists_of, sent_pupils
from billing.insurance.parting import Amounts, summed
from billing.insurance.passing_on import payouts_of
from billing.insurance.tables import InsuranceList
from billing.insurance.tying import Tie, tie
from billing.ledger.tables import BankAccount
from billing.money import ZERO
from billing.payments.banks import bank_by_bin
from billing.people.tables import ClassGroup, Enrolment, Pupil, School
from billing.storage import among
from billing.vault import Vault
from service.access.tables import User
from service.pages.insurance_views import (
    REASONS_IN_ENGLISH,
    BoughtRow,
    CardPage,
    CardRow,
    ClassCards,
    DoubleRow,
    InsurancePage,
    InsuredClass,
    ListedRow,
    ListPage,
    PayoutRow,
    RateRow,
    SentList,
    Sums,
    TypedCard,
    TypedClassCards,
)
from service.pages.typed import read_day, read_id

_SHOWN = 4


def read_year(text: str, today: date) -> int:
    """Return the calendar year that is asked for, this one when none is; raises ``Refused`` for what is no year."""
    if not text.strip():
        return today.year
    if not (text.strip().isdecimal() and abs(int(text) - today.year) <= 5):  # noqa: PLR2004  years of anybody's interest
        raise Refused(f"“{text.strip()}” không phải năm BHYT. Xin ghi năm từ {today.year - 5} đến {today.year + 5}.")
    return int(text)


def read_month(text: str) -> date | None:
    """Return the first day of ``2025-10``, nothing for an empty field; raises ``Refused`` otherwise."""
    return read_day(f"{text.strip()}-01") if text.strip() else None


def insurance_page(session: Session, school_id: UUID, year: int, today: date, reader: UUID) -> InsurancePage:
    """Return the overview of a year; classes are those of the school year that runs."""
    accounts = session.exec(
        select(BankAccount).where(BankAccount.school_id == school_id, col(BankAccount.closed_on).is_(None))
    ).all()
    return InsurancePage(
        year=year,
        today=today,
        opened=insurance_item(session, school_id) is not None,
        accounts=tuple((str(each.id), _account(each)) for each in accounts),
        rate=_rate(session, school_id, today),
        classes=tuple(_classes(session, school_id, year, today)),
        lists=tuple(
            SentList(str(each.id), each.number, each.sent_at, each.lines, each.family)
            for each in lists_of(session, school_id, year)
        ),
        payouts=tuple(_payouts(session, school_id, year, reader)),
        sums=_sums(tie(session, school_id, year)),
    )


def class_cards(session: Session, school_id: UUID, class_id: UUID, year: int, today: date) -> ClassCards:
    """Return the pupils of a class with what is known of their cards; raises ``NotFound``."""
    group = session.exec(
        select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.id == class_id)
    ).one_or_none()
    if group is None:
        raise NotFound("Không tìm thấy lớp này.", group=class_id)
    members = class_members(session, school_id, class_id, today)
    cards = live_cards(session, school_id, year, {each.pupil_id for each in members})
    rows = tuple(card_row(each.pupil_id, each.full_name, cards.get(each.pupil_id)) for each in members)
    # Those of whom nothing is known yet are ticked; one month is proposed for all of them.
    ticked = {each.pupil_id for each in members if each.pupil_id not in cards} or {each.pupil_id for each in members}
    month = next_open(issued_months(session, school_id, ticked), today)
    return ClassCards(str(class_id), group.code, year, f"{month:%Y-%m}", rows)


def card_row(pupil_id: UUID, name: str, card: InsuranceCard | None) -> CardRow:
    """Return a pupil with the plain view of a card: never why it is held elsewhere."""
    if card is None:
        return CardRow(str(pupil_id), name, "")
    bought = stretches_of(card)
    return CardRow(
        str(pupil_id),
        name,
        card.source,
        card.card_end,
        sum(each.months for each in bought),
        tuple(dict.fromkeys(f"{each.collected_in:%m/%Y}" for each in bought)),
        card.number_sealed is not None,
    )


def class_typed(
    session: Session, school_id: UUID, class_id: UUID, typed: TypedClassCards, today: date
) -> list[NewCard]:
    """Return what is said of the ticked pupils of a class; who has another card is left out."""
    year, end = read_year(typed.year, today), read_day(typed.card_end)
    known = {row.pupil_id: row for row in class_cards(session, school_id, class_id, year, today).pupils}
    chosen = {read_id(each) for each in typed.pupils if each in known and known[each].source != "other"}
    if not chosen:
        raise Refused("Hãy đánh dấu ít nhất một em chưa có thẻ khác.")
    pupils = session.exec(select(Pupil).where(among(Pupil.id, chosen))).all()
    return [
        NewCard(
            pupil.id,
            year,
            card_end=under_six_end(pupil.birth_date) if typed.small else end,
            at_a_time=_at_a_time(typed.at_a_time),
            collected_in=read_month(typed.month),
        )
        for pupil in pupils
    ]


def card_typed(pupil_id: UUID, typed: TypedCard, today: date) -> NewCard:
    """Return what is typed of one pupil."""
    year = read_year(typed.year, today)
    if typed.source == "other":
        return NewCard(pupil_id, year, typed.reason, read_day(typed.card_end), typed.number)
    return NewCard(
        pupil_id,
        year,
        card_end=read_day(typed.card_end),
        number=typed.number,
        at_a_time=_at_a_time(typed.at_a_time),
        collected_in=read_month(typed.month),
    )


def card_page(  # noqa: PLR0913, PLR0917  whose card, which year, seen when
    session: Session, vault: Vault, school_id: UUID, pupil_id: UUID, year: int, today: date
) -> CardPage:
    """Return one pupil's card with the reason and the end of its number; raises ``NotFound``."""
    pupil = session.exec(
        select(Pupil)
        .join(Enrolment, col(Enrolment.pupil_id) == col(Pupil.id))
        .where(Enrolment.school_id == school_id, Pupil.id == pupil_id)
    ).first()
    if pupil is None:
        raise NotFound("Không tìm thấy học sinh này ở trường.", pupil=pupil_id)
    card = live_cards(session, school_id, year, [pupil_id]).get(pupil_id)
    number = number_of(vault, card.number_sealed) if card else ""
    open_month = next_open(issued_months(session, school_id, {pupil_id}), today)
    month = card.collected_in if card and card.collected_in else open_month
    return CardPage(
        pupil_id=str(pupil_id),
        name=pupil.full_name,
        year=year,
        today=today,
        row=card_row(pupil_id, pupil.full_name, card),
        reason=card.reason or "" if card else "",
        number=f"…{number[-_SHOWN:]}" if number else "",
        at_a_time=card.at_a_time if card else None,
        month=f"{month:%Y-%m}",
        reasons=tuple((key, name, REASONS_IN_ENGLISH[key]) for key, name in REASON_NAMES.items()),
        bought=tuple(_bought(session, school_id, pupil_id, year)),
        doubles=tuple(
            DoubleRow(row.valid_from, row.months, row.amount, stands, str(row.correction_id or ""))
            for row, stands in doubles_of(session, school_id, pupil_id)
            if row.year == year
        ),
        free=free_credit(session, school_id, [pupil_id]).get((pupil_id, INSURANCE_ITEM), ZERO),
    )


def draft_page(session: Session, draft: Draft) -> ListPage:
    """Return a list as it would be sent now."""
    names = _names(session, [each.pupil_id for each in draft.unpaid])
    waiting = tuple((names[each.pupil_id], each.family_now) for each in draft.unpaid)
    rows = tuple(map(_listed, draft.pupils))
    return ListPage(draft.year, draft.number, "", draft.digest, rows, None, "", _total(draft.pupils), waiting)


def sent_page(session: Session, vault: Vault, sent: InsuranceList) -> ListPage:
    """Return a list that was sent, checked against its digest."""
    pupils = sent_pupils(session, vault, sent)
    sender = session.get(User, sent.sent_by)
    return ListPage(
        sent.year,
        sent.number,
        str(sent.id),
        sent.digest.hex(),
        tuple(map(_listed, pupils)),
        sent.sent_at,
        sender.full_name if sender else "",
        _total(pupils),
    )


def sheet_of(session: Session, vault: Vault, sent: InsuranceList) -> tuple[str, bytes]:
    """Return a sent list as name and XLSX."""
    school = session.get_one(School, sent.school_id)
    pupils = sent_pupils(session, vault, sent)
    sheet = ListSheet(school.name, sent.year, sent.number, pupils, sent.sent_at, sent.sent_at)
    return f"BHYT-{school.code}-{sent.year}-{sent.number:02d}", list_xlsx(sheet)


def _account(account: BankAccount) -> str:
    bank = bank_by_bin(account.bank_bin)
    return f"{bank.short_name if bank else account.bank_bin} …{account.number[-_SHOWN:]}"


def _rate(session: Session, school_id: UUID, today: date) -> RateRow | None:
    """Return the parameters of today; nothing where none (or several) hold: then no round can collect insurance."""
    school = session.get_one(School, school_id)
    try:
        rule = rule_on(read_insurance_rules(session, school.province_id), today)
    except Refused:
        return None
    month = month_of(rule)
    return RateRow(
        rule.base_wage,
        rule.rate_permille,
        rule.state_percent,
        rule.province_percent,
        month.gross,
        month.family,
        "; ".join(filter(None, (rule.legal_basis, rule.province_basis))),
        rule.valid.end,
    )


def _classes(session: Session, school_id: UUID, year: int, today: date) -> Iterator[InsuredClass]:
    first = first_year(today)
    groups = session.exec(
        select(ClassGroup)
        .where(ClassGroup.school_id == school_id, ClassGroup.school_year == f"{first}-{first + 1}")
        .order_by(col(ClassGroup.grade), col(ClassGroup.code))
    ).all()
    for group in groups:
        members = class_members(session, school_id, group.id, today)
        cards = live_cards(session, school_id, year, {each.pupil_id for each in members}).values()
        buying = sum(card.source == "school" for card in cards)
        yield InsuredClass(str(group.id), group.code, len(members), buying, len(cards) - buying)


def _payouts(session: Session, school_id: UUID, year: int, reader: UUID) -> Iterator[PayoutRow]:
    for state in payouts_of(session, school_id, year):
        payout = state.payout
        maker = session.get(User, payout.made_by)
        yield PayoutRow(
            str(payout.id),
            state.number,
            payout.amount,
            payout.paid_on,
            payout.bank_reference,
            state.word,
            maker.full_name if maker else "",
            payout.made_by == reader,
            next((step.reason for step in reversed(state.steps) if step.reason), ""),
        )


def _sums(found: Tie) -> Sums:
    return Sums(
        billed=found.billed,
        unpaid=found.unpaid,
        collected=found.collected,
        given_back=found.given_back,
        passed_on=found.passed_on,
        held=found.held,
        difference=found.difference,
        told=found.told,
        not_told=found.not_told,
        to_pass_on=found.to_pass_on,
        odd=tuple(each.number for each in found.odd),
    )


def _bought(session: Session, school_id: UUID, pupil_id: UUID, year: int) -> Iterator[BoughtRow]:
    for each in purchases(session, school_id, year):
        if each.pupil_id == pupil_id:
            yield BoughtRow(
                each.number, each.first_month, each.months, each.amounts.family, each.settled, each.months_off
            )


def _names(session: Session, pupils: Sequence[UUID]) -> dict[UUID, str]:
    rows = session.exec(select(Pupil.id, Pupil.full_name).where(among(Pupil.id, pupils))).all()
    return dict(rows)


def _listed(pupil: ListedPupil) -> ListedRow:
    return _row(pupil.full_name, pupil.birth_date, pupil, pupil.months, pupil.amounts)


def _row(name: str, birth: date, pupil: ListedPupil, months: int, sums: Amounts) -> ListedRow:
    return ListedRow(
        name, birth, pupil.class_code, bool(pupil.number), pupil.first_month, months,
        sums.gross, sums.state, sums.province, sums.others, sums.family,
    )  # fmt: skip


def _total(pupils: Sequence[ListedPupil]) -> ListedRow | None:
    """Return the sums of a list as a row; nothing for an empty one."""
    if not pupils:
        return None
    months = sum(pupil.months for pupil in pupils)
    return _row("", pupils[0].birth_date, pupils[0], months, summed([pupil.amounts for pupil in pupils]))


def _at_a_time(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise Refused("Gia đình mua BHYT mỗi lần 3, 6 hoặc 12 tháng.")
    return int(text)
