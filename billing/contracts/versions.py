"""Versions of a school's contract: written whole by one person, approved by another, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.contracts.reading import (
    DEPOSIT_ACCOUNT,
    DEPOSIT_ITEM,
    OTHER_INCOME,
    find_school,
    find_version,
    versions_of,
)
from billing.contracts.stepping import person
from billing.contracts.tables import ContractApproval, ContractVersion
from billing.contracts.terms import LATE_STEP, PlanTerms, Terms, as_json, check
from billing.errors import Conflict, NotAllowed, Refused
from billing.fees.contracted import LATE_ITEM
from billing.fees.editing import NewItem, add_item
from billing.fees.item_rows import find_item, items_of
from billing.fees.items import Group, Unit, last_day
from billing.fees.pricing import NewPrice, add_price
from billing.fees.tables import FeeItem
from billing.ledger.accounts import DEFERRED, deferred_code, open_account
from billing.money import Money
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.tables import School
from billing.visible import is_blank

_LONGEST_CODE = 20
ONLY_PRIVATE = "Chỉ trường ngoài công lập có hợp đồng, tiền giữ chỗ và phí chậm nộp."


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version as an accountant enters it; ``code`` is its own within the school."""

    code: str
    title: str
    body: str
    terms: Terms
    valid_from: date


@dataclass(frozen=True, slots=True)
class NewTerm:
    """An item for paying ahead: the monthly item it stands for, and in which months how many are billed at once.

    ``starts``: the first day of each term with its number of months, such as September 9.
    """

    code: str
    name: str
    monthly_item: str
    price: Money
    starts: Sequence[tuple[date, int]]


def refuse_public(session: Session, school_id: UUID) -> School:
    """Return a private school; raises ``NotAllowed`` for a public one."""
    school = find_school(session, school_id)
    if school.kind != "private":
        raise NotAllowed(ONLY_PRIVATE)
    return school


def draft_version(session: Session, school_id: UUID, new: NewVersion, actor: Actor, now: datetime) -> ContractVersion:
    """Write a version; raises ``NotAllowed`` for a public school, ``Refused`` for terms that make no sense.

    A way to pay ahead names the monthly item that it stands for; the items of the deposit and of late charges
    are made where the terms need them. ``Conflict`` for a code that is taken.
    """
    school = refuse_public(session, school_id)
    code = new.code.strip().upper()
    if not 1 <= len(code) <= _LONGEST_CODE or is_blank(new.title) or is_blank(new.body):
        raise Refused(f"Mẫu hợp đồng cần mã (không quá {_LONGEST_CODE} ký tự), tên và nội dung.")
    check(new.terms)
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"contracts {school_id}"}
    )
    if any(version.code == code for version, _ in versions_of(session, school_id)):
        raise Conflict(f"Trường đã có mẫu hợp đồng mã {code}. Hãy đặt mã khác.", code=code)
    for each in new.terms.plans:
        _refuse_way(session, school_id, each)
    account = find_item(session, school_id, new.terms.plans[0].item).bank_account_id
    _prepare_items(session, school, new, account, actor, now)
    version = ContractVersion(
        school_id=school_id,
        code=code,
        title=new.title.strip(),
        body=new.body.strip(),
        terms=as_json(new.terms),
        valid_from=new.valid_from,
        made_by=person(actor),
        made_at=now,
    )
    session.add(version)
    session.flush()
    record_deed(session, actor, _deed(version, "contract.draft_version"), now, code=code)
    return version


def approve_version(session: Session, school_id: UUID, version_id: UUID, actor: Actor, now: datetime) -> None:
    """Approve a version, so that families may agree to it.

    Raises ``SamePerson`` for whoever made it, ``Conflict`` when that is done already.
    """
    version = find_version(session, school_id, version_id)
    own_word = "Người lập mẫu hợp đồng không được tự duyệt. Hãy nhờ người duyệt khác."
    asked = Agreement(school_id, {version.made_by}, WHOLE_SCHOOL, own_word, {"version": version_id})
    approver = second_person(session, actor, asked)
    done = session.exec(select(ContractApproval).where(ContractApproval.version_id == version_id)).one_or_none()
    if done is not None:
        raise Conflict("Mẫu hợp đồng này đã được duyệt.", version=version_id)
    session.add(ContractApproval(version_id=version_id, school_id=school_id, approved_by=approver, at=now))
    session.flush()
    record_deed(session, actor, _deed(version, "contract.approve_version"), now, made_by=str(version.made_by))


def open_term(session: Session, school_id: UUID, new: NewTerm, actor: Actor, now: datetime) -> FeeItem:
    """Make the item of a way to pay ahead; its income is deferred and released month by month.

    Raises ``Refused`` for a term of no month, ``Conflict`` for a code that is taken.
    """
    school = refuse_public(session, school_id)
    if not new.starts:
        raise Refused("Hãy ghi ít nhất một kỳ: tháng bắt đầu và số tháng.")
    monthly = find_item(session, school_id, new.monthly_item)
    if monthly.revenue_account.startswith(DEFERRED):
        raise Refused("Khoản thu theo tháng không thể là một khoản đóng trước. Hãy chọn khoản học phí tháng.")
    income = deferred_code(monthly.revenue_account)
    open_account(session, school_id, income, f"Doanh thu nhận trước: {monthly.legal_name}", "deferred")
    item = add_item(
        session,
        school,
        NewItem(
            code=new.code,
            legal_name=new.name,
            group=Group(monthly.item_group),
            unit=Unit.MONTH,
            legal_basis=monthly.legal_basis,
            revenue_account=income,
            bank_account_id=monthly.bank_account_id,
            valid_from=min(start for start, _ in new.starts).replace(day=1),
            opt_in=True,
        ),
        actor,
        now,
        opened=True,
    )
    for start, months in new.starts:
        first = start.replace(day=1)
        price = NewPrice(new.price, first, last_day(first), count=months)
        add_price(session, school, item.code, price, actor, now)
    return item


def _refuse_way(session: Session, school_id: UUID, way: PlanTerms) -> None:
    ahead = find_item(session, school_id, way.item).revenue_account.startswith(DEFERRED)
    if ahead != bool(way.instead):
        raise Refused(
            f"Khoản thu {way.item}: đóng trước thì ghi thay cho khoản thu tháng nào; đóng theo tháng thì để trống."
        )
    if ahead != (way.plan != "month"):
        raise Refused(f"Khoản thu {way.item} không hợp với cách đóng đã chọn. Hãy mở kỳ đóng trước cho khoản đó.")
    if way.instead and find_item(session, school_id, way.instead).opt_in:
        raise Refused(f"Khoản thu {way.instead} chỉ thu của người đăng ký; hãy chọn khoản học phí tháng.")


def _prepare_items(  # noqa: PLR0913, PLR0917  what is made, where, by whom
    session: Session, school: School, new: NewVersion, account: UUID, actor: Actor, now: datetime
) -> None:
    known = {item.code for item in session.exec(items_of(school.id)).all()}
    wanted = []
    if new.terms.deposit is not None and DEPOSIT_ITEM not in known:
        open_account(session, school.id, DEPOSIT_ACCOUNT, "Nhận đặt cọc, tiền giữ chỗ", "pass_through")
        wanted.append((DEPOSIT_ITEM, "Tiền giữ chỗ", Group.PASS_THROUGH, DEPOSIT_ACCOUNT, False, "offset_round"))
    if new.terms.deposit is not None:
        open_account(session, school.id, OTHER_INCOME, "Thu nhập khác theo hợp đồng", "income")
    if new.terms.late is not None and LATE_ITEM not in known:
        name = f"Phí chậm nộp theo hợp đồng (mỗi đơn vị {LATE_STEP})"
        wanted.append((LATE_ITEM, name, Group.AGREED, OTHER_INCOME, True, "none"))
    for code, name, group, revenue, opt_in, carry_over in wanted:
        basis = f"Mẫu hợp đồng {new.code.strip().upper()}"
        item = NewItem(
            code, name, group, Unit.ONCE, basis, revenue, account, new.valid_from, opt_in=opt_in, carry_over=carry_over
        )
        add_item(session, school, item, actor, now, opened=True)


def _deed(version: ContractVersion, action: str) -> Deed:
    return Deed(version.school_id, action, "contract_version", str(version.id))
