"""Items, prices and catalogues of one school, in the shapes of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import HocphiError, NotFound, Refused
from billing.fees import tables
from billing.fees.caps import CapVerdict
from billing.fees.catalogue import RULE_FILES, SHIPPED, Catalogue, parse_catalogue, shipped_catalogue
from billing.fees.items import (
    GROUP_NAMES,
    LEVEL_NAMES,
    PART_MONTH_NAMES,
    QUANTITY_NAMES,
    UNIT_NAMES,
    FeeItem,
    Group,
    Level,
    PartMonth,
    Price,
    Quantity,
    Unit,
)
from billing.fees.kinds import KINDS_FILE
from billing.fees.schedule import load_catalogue
from billing.fees.standings import Measure, read_measure, standing_of
from billing.ledger.tables import BankAccount
from billing.payments.banks import bank_by_bin
from billing.payments.receipts import school_year_of
from billing.people.tables import ClassGroup, School
from service.pages.fee_views import (
    CatalogueChoice,
    CatalogueItem,
    CataloguePage,
    CatalogueRow,
    ItemRow,
    ItemsPage,
    PriceLine,
)
from service.pages.views import Download


def items_page(session: Session, school_id: UUID, today: date) -> ItemsPage:
    """Return the school's items by group, each with the prices that hold or are to come."""
    school = session.get_one(School, school_id)
    measure = read_measure(session, school)
    items = session.exec(
        select(tables.FeeItem)
        .where(tables.FeeItem.school_id == school_id)
        .order_by(col(tables.FeeItem.position), col(tables.FeeItem.code))
    ).all()
    accounts = dict(own_accounts(session, school_id))
    prices = _prices(session, school_id, today)
    by_group: dict[str, list[ItemRow]] = {}
    for item in items:
        lines = [_price_line(row, item, measure, today) for row in prices.get(item.id, [])]
        by_group.setdefault(item.item_group, []).append(_item_row(item, lines, accounts))
    order = [group.value for group in Group if group.value in by_group]
    groups = tuple((GROUP_NAMES[Group(group)], tuple(by_group[group])) for group in order)
    return ItemsPage(groups, running_year(session, school_id, today))


def item_row(session: Session, item: tables.FeeItem, today: date) -> ItemRow:
    """Return one item with the prices that hold or are to come."""
    school = session.get_one(School, item.school_id)
    measure = read_measure(session, school)
    rows = _prices(session, item.school_id, today).get(item.id, [])
    lines = [_price_line(row, item, measure, today) for row in rows]
    return _item_row(item, lines, dict(own_accounts(session, item.school_id)))


def running_year(session: Session, school_id: UUID, today: date) -> str:
    """Return the school year that the office works in on a day; empty when there are no classes yet.

    The newest year with classes that has begun (on 1 August): the classes of the next one are made months ahead, and
    until then the children sit in this one's. A school that has only coming years works in the first of them.
    """
    years = session.exec(select(ClassGroup.school_year).where(ClassGroup.school_id == school_id).distinct()).all()
    begun = [year for year in years if year <= school_year_of(today)]
    return max(begun) if begun else min(years, default="")


def own_accounts(session: Session, school_id: UUID) -> list[tuple[str, str]]:
    """Return the school's bank accounts as pairs of id and name."""
    rows = session.exec(
        select(BankAccount).where(BankAccount.school_id == school_id).order_by(col(BankAccount.opened_on))
    ).all()
    return [(str(row.id), account_name(row)) for row in rows]


def account_name(account: BankAccount) -> str:
    """Return bank and last four digits of an account."""
    bank = bank_by_bin(account.bank_bin)
    return f"{bank.short_name if bank else account.bank_bin} …{account.number[-4:]}"


def _prices(session: Session, school_id: UUID, today: date) -> dict[UUID, list[tables.FeePrice]]:
    rows = session.exec(
        select(tables.FeePrice)
        .where(
            tables.FeePrice.school_id == school_id,
            col(tables.FeePrice.withdrawn_at).is_(None),
            col(tables.FeePrice.valid_to).is_(None) | (col(tables.FeePrice.valid_to) >= today),
        )
        .order_by(col(tables.FeePrice.valid_from), col(tables.FeePrice.id))
    ).all()
    found: dict[UUID, list[tables.FeePrice]] = {}
    for row in rows:
        found.setdefault(row.item_id, []).append(row)
    return found


def _item_row(item: tables.FeeItem, lines: list[PriceLine], accounts: Mapping[str, str]) -> ItemRow:
    return ItemRow(
        code=item.code,
        name=item.legal_name,
        group=GROUP_NAMES[Group(item.item_group)],
        unit=UNIT_NAMES[Unit(item.unit)],
        legal_basis=item.legal_basis,
        account=accounts.get(str(item.bank_account_id), ""),
        revenue_account=item.revenue_account,
        opt_in=item.opt_in,
        ended_on=item.valid_to,
        prices=tuple(lines),
    )


def _price_line(row: tables.FeePrice, item: tables.FeeItem, measure: Measure, today: date) -> PriceLine:
    standings = standing_of(row, item, measure, max(today, row.valid_from))
    return PriceLine(
        price_id=row.id or 0,
        amount=row.amount,
        unit=price_unit(row.quantity_rule, row.quantity, item.unit, row.part_month),
        whom=whom(row.levels, row.grades, row.class_codes),
        first=row.valid_from,
        last=row.valid_to,
        standing=" ".join(dict.fromkeys(each.reason for each in standings)),
        coming=row.valid_from > today,
        wrong=any(each.refused for each in standings),
    )


def price_unit(rule: str, count: int, unit: str, part_month: str = PartMonth.WHOLE) -> str:
    """Return what the amount of a price is for: ``tháng``, ``giờ, 3 giờ mỗi tháng``, ``km theo đăng ký``."""
    name = UNIT_NAMES[Unit(unit)]
    if Quantity(rule) is Quantity.REGISTERED:
        name = f"{name} {QUANTITY_NAMES[Quantity.REGISTERED]}"
    elif Quantity(rule) is Quantity.FIXED and count != 1:
        name = f"{name}, {count} {name} mỗi tháng"
    whole = PartMonth(part_month) is PartMonth.WHOLE
    return name if whole else f"{name}, {PART_MONTH_NAMES[PartMonth(part_month)]}"


def whom(levels: list[str], grades: list[int], classes: list[str]) -> str:
    """Return for whom a price is, in words; empty for everybody."""
    said = [LEVEL_NAMES[Level(level)] for level in levels]
    said += [f"khối {grade}" for grade in grades]
    said += [f"lớp {code}" for code in classes]
    return ", ".join(said)


# Catalogues: tried in a savepoint first, so that what is shown is what loading would do.


def shipped_catalogues() -> tuple[CatalogueRow, ...]:
    """Return the catalogues that come with the program and hold items, by title."""
    others = {*RULE_FILES, KINDS_FILE.removesuffix(".json")}
    names = sorted(path.stem for path in SHIPPED.glob("*.json") if path.stem not in others)
    found = (shipped_catalogue(name) for name in names)
    rows = [CatalogueRow(each.name, each.title, len(each.items)) for each in found if each.items]
    return tuple(sorted(rows, key=lambda row: row.title))


def chosen_catalogue(choice: CatalogueChoice) -> Catalogue:
    """Return the catalogue of a choice; raises ``NotFound`` for an unknown name, ``BadCatalogue`` for a bad text."""
    if choice.text:
        return parse_catalogue(choice.text, choice.file or "danh-muc.json")
    if choice.name not in {row.name for row in shipped_catalogues()}:
        raise NotFound("Không có danh mục này trong chương trình.")
    return shipped_catalogue(choice.name)


def catalogue_file(name: str) -> Download:
    """Return a shipped catalogue as the file that it is, to edit and hand in; raises ``NotFound``."""
    chosen_catalogue(CatalogueChoice(name=name))
    return Download((SHIPPED / f"{name}.json").read_bytes(), "application/json", f"{name}.json")


def catalogue_page(session: Session, school_id: UUID, choice: CatalogueChoice, now: datetime) -> CataloguePage:
    """Return what loading a catalogue would do: every price with its verdict, or why it is refused."""
    catalogue = chosen_catalogue(choice)
    school, own = session.get_one(School, school_id), own_accounts(session, school_id)
    keys = tuple(dict.fromkeys(item.account for item in catalogue.items))
    verdicts, problem = _tried(session, school, catalogue, dict.fromkeys(keys, own[0][0]) if own else {}, now)
    if not own:
        problem = (
            "Trường chưa có tài khoản nhận tiền nào đang dùng. "
            "Hãy đề nghị ở trang Tài khoản; người khác đồng ý, sau 24 giờ thì nạp được."
        )
    return CataloguePage(
        choice=choice,
        title=catalogue.title,
        items=tuple(_catalogue_item(catalogue, item, verdicts) for item in catalogue.items),
        reductions=tuple(f"{each.title} ({each.legal_basis})" for each in catalogue.reductions),
        comments=tuple(comment for _, comment in catalogue.comments),
        accounts=keys,
        own=tuple(own),
        problem=problem,
    )


def _tried(
    session: Session, school: School, catalogue: Catalogue, accounts: Mapping[str, str], now: datetime
) -> tuple[tuple[CapVerdict, ...], str]:
    if not accounts:
        return (), ""
    with session.begin_nested() as savepoint:
        try:
            ids = {key: UUID(account) for key, account in accounts.items()}
            return load_catalogue(session, school, catalogue, ids, now), ""
        except HocphiError as refusal:
            return (), refusal.message
        finally:
            savepoint.rollback()


def load_chosen(  # noqa: PLR0913, PLR0917  what an act of a person needs to know
    session: Session,
    school_id: UUID,
    actor: Actor,
    choice: CatalogueChoice,
    accounts: Mapping[str, str],
    now: datetime,
) -> None:
    """Load a catalogue into the chosen accounts; raises ``NotFound`` for another's account, ``Refused`` without one."""
    own = {account for account, _ in own_accounts(session, school_id)}
    if not set(accounts.values()) <= own:
        raise NotFound("Không có tài khoản này ở trường.")
    ids = {key: UUID(account) for key, account in accounts.items()}
    catalogue = chosen_catalogue(choice)
    missing = sorted({item.account for item in catalogue.items} - set(ids))
    if missing:
        raise Refused(f"Chưa chọn tài khoản nhận tiền cho: {', '.join(missing)}. Hãy chọn đủ rồi nạp lại.")
    load_catalogue(session, session.get_one(School, school_id), catalogue, ids, now, actor=actor)


def _catalogue_item(catalogue: Catalogue, item: FeeItem, verdicts: tuple[CapVerdict, ...]) -> CatalogueItem:
    prices = [price for price in catalogue.prices if price.item.code == item.code]
    fitting = [verdict for verdict in verdicts if verdict.item.code == item.code]
    return CatalogueItem(
        code=item.code,
        name=item.name,
        group=GROUP_NAMES[item.group],
        price="; ".join(_price_words(price) for price in prices),
        verdict=" ".join(dict.fromkeys(verdict.reason for verdict in fitting)),
        needs_yes=any(verdict.needs_yes for verdict in fitting),
    )


def _price_words(price: Price) -> str:
    unit = price_unit(price.quantity.value, price.count, price.item.unit.value, price.part_month.value)
    meant = whom(sorted(level.value for level in price.levels), sorted(price.grades), sorted(price.classes))
    last = f" đến {price.valid.end:%d/%m/%Y}" if price.valid.end else ""
    days = f"từ {price.valid.start:%d/%m/%Y}{last}"
    return f"{price.amount}/{unit}, {days}" + (f" ({meant})" if meant else "")
