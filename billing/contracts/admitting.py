"""What becomes of a contract that was agreed to: the child is enrolled, or it does not come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.contracts.deposits import Deposit, deposit_of
from billing.contracts.reading import (
    DEPOSIT_ACCOUNT,
    DEPOSIT_ITEM,
    OTHER_INCOME,
    find_contract,
    find_school,
    steps_of,
    terms_of,
)
from billing.contracts.reckoning import kept_of_deposit, month_after
from billing.contracts.stepping import Taken, hold_contract, person, take, today_of
from billing.contracts.tables import Contract, ContractStep
from billing.contracts.terms import PLANS, PlanTerms
from billing.credits.reading import free_credit
from billing.credits.refunding import About, Wanted, ask_refund
from billing.errors import NotFound, Refused
from billing.fees.contracted import evidence_of
from billing.fees.item_rows import find_item, live_prices
from billing.fees.items import last_day
from billing.fees.reducing import NewReduction, enter_reduction
from billing.fees.registering import Registration, take_registrations
from billing.fees.tables import OptOut
from billing.ledger.posting import Fact, Line, post
from billing.money import ZERO, Money
from billing.people.completing import complete_earlier
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil
from billing.rounds.correcting import Lowering, propose_credit
from billing.vault import Vault
from billing.visible import is_blank


@dataclass(frozen=True, slots=True)
class DepositEnd:
    """What becomes of a deposit of which ``paid`` was paid when the child does not come."""

    paid: Money
    kept: Money
    back: Money


def admit(  # noqa: PLR0913, PLR0917  whose contract, into which class, by whom
    session: Session, school_id: UUID, contract_id: UUID, class_id: UUID | None, actor: Actor, now: datetime
) -> ContractStep:
    """Enrol the child of a contract, register how it pays, and ask for the deposit to become its credit.

    A child that studies here already keeps its enrolment; that of an earlier year ends the day before. Raises
    ``NotFound`` for a class of another year, ``Refused`` while the item of the way to pay has no price for a month in
    which a term begins.
    """
    contract = hold_contract(session, school_id, contract_id, "agreed")
    enrolment = _enrolment(session, contract, class_id, today_of(now))
    way = terms_of(session, contract).way(contract.plan)
    evidence = f"Hợp đồng {contract.number}"
    _register(session, contract, enrolment, way, actor, now)
    if way.percent:
        _discount(session, contract, enrolment, way, actor, now)
    facts = {}
    agreed = steps_of(session, contract)["agreed"]
    if agreed.bill_id is not None:
        deposit = deposit_of(session, school_id, agreed.bill_id)
        asked = _lower(session, deposit, deposit.balance.due, f"{evidence}: nhập học", actor, now)
        facts = {"corrections": [asked] if asked else [], "deposit": deposit.paid.dong}
    taken = Taken(kind="enrolled", day=enrolment.started_on, enrolment_id=enrolment.id, facts=facts)
    return take(session, contract, actor, taken, now)


def preview_decline(session: Session, school_id: UUID, contract_id: UUID, told_on: date) -> DepositEnd:
    """Return what the contract says of the deposit when the family tells on a day that the child does not come."""
    contract = find_contract(session, school_id, contract_id)
    terms, agreed = terms_of(session, contract), steps_of(session, contract).get("agreed")
    if terms.deposit is None or agreed is None or agreed.bill_id is None:
        return DepositEnd(ZERO, ZERO, ZERO)
    paid = deposit_of(session, school_id, agreed.bill_id).paid
    kept = min(paid, kept_of_deposit(terms.deposit, contract.starts_on, told_on))
    return DepositEnd(paid, kept, paid - kept)


def decline(  # noqa: PLR0913, PLR0917  which contract, told when and why, entered by whom
    session: Session, school_id: UUID, contract_id: UUID, told_on: date, reason: str, actor: Actor, now: datetime
) -> ContractStep:
    """Close a contract of a child that does not come: the deposit is kept or given back by the version agreed to.

    What comes back is asked for as a correction of the deposit's bill; what is kept is income at once. Raises
    ``Refused`` without a reason or for a day that has not come.
    """
    contract = hold_contract(session, school_id, contract_id, "draft", "agreed")
    today = today_of(now)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do, ví dụ “Gia đình báo ngày 10/6/2026: chuyển nơi ở”.")
    if told_on > today:
        raise Refused("Ngày gia đình báo không được sau hôm nay.")
    end = preview_decline(session, school_id, contract_id, told_on)
    agreed = steps_of(session, contract).get("agreed")
    corrections, entry = [], None
    if agreed is not None and agreed.bill_id is not None:
        deposit = deposit_of(session, school_id, agreed.bill_id)
        off = deposit.balance.due - end.kept
        why = f"Hợp đồng {contract.number}: không nhập học. {reason.strip()}"
        corrections = [asked for asked in [_lower(session, deposit, off, why, actor, now)] if asked]
        if end.kept:
            fact = Fact(school_id, "deposit_kept", str(contract.id), today, contract.number)
            line = Line(DEPOSIT_ACCOUNT, OTHER_INCOME, end.kept, contract.pupil_id, DEPOSIT_ITEM, agreed.bill_id)
            entry = post(session, fact, [line], now)
    facts = {"paid": end.paid.dong, "kept": end.kept.dong, "back": end.back.dong, "corrections": corrections}
    taken = Taken(kind="declined", day=told_on, reason=reason.strip(), entry_id=entry, facts=facts)
    return take(session, contract, actor, taken, now)


def refund_deposit(  # noqa: PLR0913, PLR0917  of which contract, asked for by whom
    session: Session, vault: Vault, school_id: UUID, contract_id: UUID, actor: Actor, now: datetime
) -> UUID:
    """Ask for what comes back of a deposit to be paid out; raises ``Refused`` while nothing of it is credit."""
    contract = hold_contract(session, school_id, contract_id, "declined")
    key = (contract.pupil_id, DEPOSIT_ITEM)
    free = free_credit(session, school_id, [contract.pupil_id]).get(key, ZERO)
    if not free:
        raise Refused("Chưa có tiền giữ chỗ nào để trả lại. Đề nghị ghi giảm phải được duyệt trước.")
    why = f"Trả lại tiền giữ chỗ, hợp đồng {contract.number}"
    return ask_refund(
        session, vault, actor, school_id, [Wanted(*key, free)], why, now, About(item_code=DEPOSIT_ITEM)
    ).id


def billing_days(session: Session, contract: Contract, way: PlanTerms) -> list[tuple[date, date]]:
    """Return the days for which a family that pays ahead is registered: of each term the month in which it is billed.

    Raises ``Refused`` when the prices do not cut the contract into whole terms.
    """
    item = find_item(session, contract.school_id, way.item)
    first = contract.starts_on.replace(day=1)
    prices = {row.valid_from: row for row in live_prices(session, item)}
    found, covered = [], 0
    while covered < contract.months:
        month = month_after(first, covered)
        price = prices.get(month)
        if price is None:
            raise Refused(f"Khoản thu {item.legal_name} chưa có kỳ bắt đầu từ tháng {month:%m/%Y}. Hãy mở kỳ đó trước.")
        found.append((max(month, contract.starts_on), last_day(month)))
        covered += price.quantity
    if covered != contract.months:
        raise Refused(
            f"Các kỳ của khoản thu {item.legal_name} cộng lại {covered} tháng, hợp đồng có {contract.months} tháng."
        )
    return found


def _enrolment(session: Session, contract: Contract, class_id: UUID | None, today: date) -> Enrolment:
    found = session.exec(
        select(Enrolment)
        .where(
            Enrolment.school_id == contract.school_id,
            Enrolment.pupil_id == contract.pupil_id,
            Enrolment.school_year == contract.school_year,
        )
        .order_by(col(Enrolment.started_on).desc())
    ).first()
    if found is not None and found.state == "studying":
        return found
    if found is not None and found.ended_on is not None and contract.starts_on <= found.ended_on:
        raise Refused(f"Em đã học ở trường đến {found.ended_on:%d/%m/%Y}. Hợp đồng mới phải bắt đầu sau ngày đó.")
    group = session.exec(
        select(ClassGroup).where(
            ClassGroup.school_id == contract.school_id,
            col(ClassGroup.id) == class_id,
            ClassGroup.school_year == contract.school_year,
        )
    ).one_or_none()
    if group is None:
        raise NotFound(f"Hãy chọn một lớp của năm học {contract.school_year}.")
    enrolment = Enrolment(
        school_id=contract.school_id,
        pupil_id=contract.pupil_id,
        school_year=contract.school_year,
        started_on=contract.starts_on,
        stated_birth_date=session.get_one(Pupil, contract.pupil_id).birth_date,
    )
    session.add(enrolment)
    session.flush()
    session.add(
        ClassPlacement(
            school_id=contract.school_id,
            enrolment_id=enrolment.id,
            class_id=group.id,
            valid_from=contract.starts_on,
        )
    )
    session.flush()
    complete_earlier(session, enrolment, today)
    return enrolment


def _register(  # noqa: PLR0913, PLR0917  whose way to pay, by whom
    session: Session, contract: Contract, enrolment: Enrolment, way: PlanTerms, actor: Actor, now: datetime
) -> None:
    """Register for a way to pay: ahead for its terms, and then not for the monthly item; else for a chosen item."""
    evidence, last = evidence_of(contract.number), _last_day(contract)
    if not way.instead:
        if find_item(session, contract.school_id, way.item).opt_in:
            monthly = Registration(
                enrolment.id, way.item, contract.starts_on, evidence, valid_to=last, source="contract"
            )
            take_registrations(session, contract.school_id, [monthly], now)
        return
    ahead = [
        Registration(enrolment.id, way.item, first, evidence, valid_to=until, source="contract")
        for first, until in billing_days(session, contract, way)
    ]
    take_registrations(session, contract.school_id, ahead, now)
    session.add(
        OptOut(
            school_id=contract.school_id,
            enrolment_id=enrolment.id,
            item_id=find_item(session, contract.school_id, way.instead).id,
            evidence=evidence,
            valid_from=contract.starts_on,
            valid_to=last,
            made_by=person(actor),
            at=now,
        )
    )
    session.flush()


def _last_day(contract: Contract) -> date:
    return last_day(month_after(contract.starts_on.replace(day=1), contract.months - 1))


def _discount(  # noqa: PLR0913, PLR0917  whose discount, by whom
    session: Session, contract: Contract, enrolment: Enrolment, way: PlanTerms, actor: Actor, now: datetime
) -> None:
    """Enter the discount as a reduction that another person approves."""
    new = NewReduction(
        enrolment_id=enrolment.id,
        kind=PLANS[way.plan],
        valid_from=contract.starts_on,
        valid_to=_last_day(contract),
        evidence=f"Hợp đồng {contract.number}",
        percent=way.percent,
        item_codes=frozenset({way.item}),
    )
    enter_reduction(session, find_school(session, contract.school_id), new, actor, now)


def _lower(  # noqa: PLR0913, PLR0917  which deposit, by how much, why, by whom
    session: Session, deposit: Deposit, amount: Money, why: str, actor: Actor, now: datetime
) -> str:
    """Ask for a deposit's bill to fall by an amount; return the correction's id, or nothing for 0 đ."""
    if not amount:
        return ""
    lowering = [Lowering(deposit.line_id, amount)]
    return str(propose_credit(session, actor, deposit.balance.bill_id, lowering, why, now).id)
