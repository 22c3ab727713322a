"""What a school shows to everybody: its items, prices and the law's reductions. Nothing of a pupil is read here.

Source: schools publish what they collect, with basis and decision, before they collect it (decrees on publicity and
on schools' services); readers need no log-in.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.fees.insurance import INSURANCE_ITEM, InsuranceRule, in_percent, month_of
from billing.fees.insured import read_insurance_rules
from billing.fees.items import GROUP_NAMES, UNIT_NAMES, Group, Level, Ownership, Payer, Unit
from billing.fees.kinds import ReductionKind, shipped_kinds
from billing.fees.tables import FeeItem, FeePrice
from billing.people.tables import School
from billing.plans.reading import audience_of, decided_on, decision_words, items_in
from service.pages.item_rows import price_unit, whom
from service.pages.plan_rows import label
from service.pages.plan_views import PublicFees, PublicItem, PublicPrice, PublicReduction

_PAYERS = {Payer.STATE: "Nhà nước", Payer.SCHOOL: "Nhà trường", Payer.DONOR: "Nhà tài trợ"}


def public_fees(session: Session, school_id: UUID, today: date) -> PublicFees:
    """Return what a school collects, as of a day."""
    school = session.get_one(School, school_id)
    items = session.exec(
        select(FeeItem)
        .where(FeeItem.school_id == school_id, col(FeeItem.valid_to).is_(None) | (col(FeeItem.valid_to) >= today))
        .order_by(col(FeeItem.position), col(FeeItem.code))
    ).all()
    prices = _prices(session, school_id, today)
    decided = _decisions(session, school_id, today)
    shown = [_item(item, prices.get(item.id, []), decided) for item in items]
    if any(item.code == INSURANCE_ITEM for item in items):
        by_law = _by_law(session, school, today)
        shown = [
            replace(told, prices=by_law) if item.code == INSURANCE_ITEM else told
            for item, told in zip(items, shown, strict=True)
        ]
    return PublicFees(
        code=school.code,
        school=school.name,
        address=school.address,
        phone=school.phone,
        school_year=label(today),
        day=today,
        items=tuple(sorted(shown, key=lambda item: _ORDER[item.group])),
        reductions=tuple(_reduction(kind) for kind in shipped_kinds() if _concerns(kind, school, today)),
    )


_ORDER = {GROUP_NAMES[group]: place for place, group in enumerate(Group)}


def _prices(session: Session, school_id: UUID, today: date) -> dict[UUID, list[FeePrice]]:
    rows = session.exec(
        select(FeePrice)
        .where(
            FeePrice.school_id == school_id,
            col(FeePrice.withdrawn_at).is_(None),
            col(FeePrice.valid_to).is_(None) | (col(FeePrice.valid_to) >= today),
        )
        .order_by(col(FeePrice.valid_from), col(FeePrice.id))
    ).all()
    found: dict[UUID, list[FeePrice]] = {}
    for row in rows:
        found.setdefault(row.item_id, []).append(row)
    return found


def _decisions(session: Session, school_id: UUID, today: date) -> tuple[str, dict[str, list[str]]]:
    """Return the decision whose plan holds today, and by code of item the prices that it allows, with for whom."""
    found = decided_on(session, school_id, label(today), today)
    if found is None:
        return "", {}
    allowed: dict[str, list[str]] = {}
    for item in items_in(session, found[0]):
        whom = str(audience_of(item))
        said = f"{item.price}/{UNIT_NAMES[Unit(item.unit)]}" + (f" ({whom})" if whom else "")
        allowed.setdefault(item.item_code, []).append(said)
    return decision_words(found[1]), allowed


def _item(item: FeeItem, prices: list[FeePrice], decided: tuple[str, dict[str, list[str]]]) -> PublicItem:
    group = Group(item.item_group)
    decision, allowed = decided
    return PublicItem(
        item.legal_name,
        GROUP_NAMES[group],
        tuple(
            PublicPrice(
                price.amount,
                price_unit(price.quantity_rule, price.quantity, item.unit, price.part_month),
                whom(price.levels, price.grades, price.class_codes),
                price.valid_from,
                price.valid_to,
            )
            for price in prices
        ),
        item.legal_basis,
        item.opt_in or group is Group.DONATION,
        decision if item.code in allowed else "",
        tuple(allowed.get(item.code, ())),
    )


def _by_law(session: Session, school: School, today: date) -> tuple[PublicPrice, ...]:
    """Return what insurance by pupil costs a family in a month: the law's dated parameters make its price."""
    rules = read_insurance_rules(session, school.province_id)
    told = sorted((rule for rule in rules if rule.valid.end is None or rule.valid.end >= today), key=_starts)
    return tuple(
        PublicPrice(month_of(rule).family, UNIT_NAMES[Unit.MONTH], _reckoned(rule), rule.valid.start, rule.valid.end)
        for rule in told
    )


def _starts(rule: InsuranceRule) -> date:
    return rule.valid.start


def _reckoned(rule: InsuranceRule) -> str:
    """Return in words how a family's month is reckoned."""
    province = f", tỉnh hỗ trợ {rule.province_percent} %" if rule.province_percent else ""
    return (
        f"phần gia đình của {in_percent(rule.rate_permille)} × mức lương cơ sở {rule.base_wage};"
        f" Nhà nước hỗ trợ {rule.state_percent} %{province}; thu theo số tháng còn lại của từng em đến 31/12"
    )


def _concerns(kind: ReductionKind, school: School, today: date) -> bool:
    levels = frozenset(Level(level) for level in school.levels)
    return Ownership(school.kind) in kind.ownerships and bool(levels & kind.levels) and kind.valid.holds(today)


def _reduction(kind: ReductionKind) -> PublicReduction:
    share = f"{kind.percent}%" if kind.percent is not None else "theo quyết định từng trường hợp"
    groups = ", ".join(GROUP_NAMES[group].lower() for group in Group if group in kind.groups)
    return PublicReduction(kind.name, _PAYERS[kind.payer], f"{share} ({groups})", kind.legal_basis)
