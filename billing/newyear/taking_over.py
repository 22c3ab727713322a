"""Approving a former program's file: codes, opening bills and credit, the receipt number, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.tables import Bill
from billing.bills.writing import Issue, NewBill, NewLine, write_bills
from billing.errors import Conflict
from billing.fees.reducing import person
from billing.fees.tables import FeeItem
from billing.ledger.accounts import FAMILY_CREDIT, FAMILY_RECEIVABLE, open_account
from billing.ledger.posting import Fact, Line, post
from billing.money import Money
from billing.newyear.former import balances_of, kind_of, lines_kept, old_codes, opened, waiting_import
from billing.newyear.former_sheet import FormerLine
from billing.newyear.tables import FormerBalance, FormerDecision, FormerImport, ReceiptStart
from billing.payments.receipts import book_of, school_year_of
from billing.payments.requests import tell_of_requests, write_requests
from billing.payments.tables import ReceiptCounter
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.tables import ClassPlacement, PupilCode, School
from billing.rounds.issuing import VIET_NAM
from billing.rounds.tables import BillingRound
from billing.storage import new_id

CLEARING = "3389C"
_CLEARING_NAME = "Đối ứng số dư chuyển từ phần mềm trước"
_ONE_DAY = timedelta(days=1)


def approve_former(  # noqa: PLR0913, PLR0917  which file, by whom, with which key
    session: Session, school: School, import_id: UUID, actor: Actor, now: datetime, reference_key: bytes
) -> FormerDecision:
    """Take a file over that another person read in; families are told of what is open from now on.

    Raises ``SamePerson``, and ``Conflict`` when it is decided, when another file opened some of it meanwhile, or when
    the receipt book has begun. Everything stands or nothing.
    """
    row = waiting_import(session, school.id, import_id)
    own_word = "Người đọc tệp vào không được tự duyệt. Hãy nhờ người duyệt."
    second_person(session, actor, Agreement(school.id, {row.made_by}, WHOLE_SCHOOL, own_word))
    lines = lines_kept(row)
    known = opened(session, school.id)
    twice = next((known[key] for line in lines for key, _ in balances_of(line) if key in known), None)
    if twice is not None:
        raise Conflict(
            f"Một phần của tệp này đã chuyển sang qua tệp khác ({twice.whence}). Hãy từ chối rồi đọc lại tệp."
        )
    _add_codes(session, school, row, lines, now)
    round_id = _open_bills(session, row, [line for line in lines if line.due], actor, now, reference_key)
    _open_credit(session, row, [line for line in lines if line.credit], now)
    decision = FormerDecision(
        import_id=row.id, school_id=school.id, approved=True, decided_by=person(actor), round_id=round_id, at=now
    )
    session.add(decision)
    session.flush()
    session.add_all(_balance(row, key, amount) for line in lines for key, amount in balances_of(line))
    _start_receipts(session, row, actor, now)
    session.flush()
    deed = Deed(school.id, "year.take_over", "former_import", str(row.id))
    sums = {"due": row.due.dong, "credit": row.credit.dong, "lines": len(lines), "receipt_last": row.receipt_last}
    record_deed(session, actor, deed, now, digest=row.digest.hex(), **sums)
    return decision


def _balance(row: FormerImport, key: tuple[UUID, str, str], amount: Money) -> FormerBalance:
    pupil, kind, item = key
    return FormerBalance(
        school_id=row.school_id,
        import_id=row.id,
        program=row.program,
        pupil_id=pupil,
        kind=kind,
        item_code=item,
        amount=amount,
    )


def _add_codes(session: Session, school: School, row: FormerImport, lines: Sequence[FormerLine], now: datetime) -> None:
    """Keep the old codes; which school they are of stands in front, for two schools may have had the same program."""
    known = old_codes(session, school, row.program)
    new = {line.old_code: line.pupil_id for line in lines if line.old_code}
    for code, pupil in sorted(new.items()):
        if known.get(pupil) != code:
            session.add(
                PupilCode(
                    province_id=school.province_id,
                    pupil_id=pupil,
                    kind=kind_of(row.program),
                    code=f"{school.code}/{code}",
                    valid_from=now.astimezone(VIET_NAM).date(),
                )
            )
    session.flush()


def _open_bills(  # noqa: PLR0913, PLR0917  what is opened, by whom, with which key
    session: Session,
    row: FormerImport,
    lines: Sequence[FormerLine],
    actor: Actor,
    now: datetime,
    reference_key: bytes,
) -> UUID | None:
    """Write one bill for each pupil and account in a round of the past period, its book entries and requests."""
    if not lines:
        return None
    bills = _bills(session, row, lines)
    made = _round(session, row, len(bills), actor, now)
    period = f"Chưa nộp đến tháng {row.period.month}/{row.period.year}"
    issue = Issue(row.school_id, made.id, period, row.due_on, now)
    write_bills(session, issue, bills)
    open_account(session, row.school_id, CLEARING, _CLEARING_NAME, "clearing")
    day = now.astimezone(VIET_NAM).date()
    for bill in bills:
        fact = Fact(row.school_id, "bill_issued", str(bill.id), day, bill.number)
        post(session, fact, [
            Line(FAMILY_RECEIVABLE, CLEARING, line.family_share, bill.pupil_id, line.item_code, bill.id)
            for line in bill.lines
        ], now)  # fmt: skip
    write_requests(session, row.school_id, now, reference_key)
    tell_of_requests(session, row.school_id, made.id, now)
    return made.id


def _round(session: Session, row: FormerImport, bills: int, actor: Actor, now: datetime) -> BillingRound:
    """Write the opening round: it is issued from the start, made by one person and approved by another."""
    year = school_year_of(row.period)
    numbers = select(func.count()).where(
        BillingRound.school_id == row.school_id, BillingRound.school_year == year, BillingRound.kind == "opening"
    )
    month = row.period.replace(day=28) + 4 * _ONE_DAY
    made = BillingRound(
        school_id=row.school_id,
        school_year=year,
        code=f"DAUKY-{session.exec(numbers).one() + 1}",
        name=f"Số chưa nộp chuyển từ phần mềm trước, đến {row.period:%m/%Y}",
        period_from=row.period,
        period_to=month - month.day * _ONE_DAY,
        due_on=row.due_on,
        state="issued",
        kind="opening",
        preview_digest=row.digest,
        preview={"bills": bills, "covered": 0},
        family_total=row.due,
        made_by=row.made_by,
        made_at=row.made_at,
        submitted_at=row.made_at,
        approved_by=person(actor),
        approved_at=now,
        issued_at=now,
    )
    session.add(made)
    session.flush()
    for action in ("round.approve", "round.issue"):
        deed = Deed(row.school_id, action, "billing_round", str(made.id))
        record_deed(session, actor, deed, now, former_import=str(row.id), family_total=row.due.dong)
    return made


def _bills(session: Session, row: FormerImport, lines: Sequence[FormerLine]) -> list[NewBill]:
    """Make the bills in the order of pupils, numbered in a series of their own."""
    items = {item.code: item for item in session.exec(select(FeeItem).where(FeeItem.school_id == row.school_id)).all()}
    classes = _classes(session, row.school_id, [line.enrolment_id for line in lines])
    by_bill: dict[tuple[str, str], list[FormerLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda each: (str(each.pupil_id), items[each.item_code].position, each.item_code)):
        by_bill[str(line.pupil_id), str(items[line.item_code].bank_account_id)].append(line)
    prefix = f"DK{row.period:%y%m}-"
    last = session.exec(
        select(func.max(Bill.number)).where(Bill.school_id == row.school_id, col(Bill.number).startswith(prefix))
    ).one()
    numbers = count(int(last.removeprefix(prefix)) + 1 if last else 1)
    return [
        NewBill(
            id=new_id(),
            number=f"{prefix}{next(numbers):06d}",
            enrolment_id=of[0].enrolment_id,
            pupil_id=of[0].pupil_id,
            class_id=_class_of(classes, of[0]),
            bank_account_id=UUID(account),
            lines=tuple(_line(items[line.item_code], line) for line in of),
        )
        for (_, account), of in by_bill.items()
    ]


def _line(item: FeeItem, line: FormerLine) -> NewLine:
    return NewLine(
        item_id=item.id,
        item_code=item.code,
        item_name=item.legal_name,
        unit="once",
        quantity=1,
        unit_price=line.due,
        gross=line.due,
        family_share=line.due,
        reductions=(),
    )


def _classes(session: Session, school_id: UUID, enrolments: Sequence[UUID]) -> dict[UUID, UUID]:
    rows = session.exec(
        select(col(ClassPlacement.enrolment_id), col(ClassPlacement.class_id))
        .where(ClassPlacement.school_id == school_id, col(ClassPlacement.enrolment_id).in_(enrolments))
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return dict(rows)


def _class_of(classes: dict[UUID, UUID], line: FormerLine) -> UUID:
    if line.enrolment_id not in classes:
        raise Conflict(f"Em ở dòng {line.line} chưa được xếp lớp. Hãy xếp lớp rồi duyệt lại.")
    return classes[line.enrolment_id]


def _open_credit(session: Session, row: FormerImport, lines: Sequence[FormerLine], now: datetime) -> None:
    if not lines:
        return
    open_account(session, row.school_id, CLEARING, _CLEARING_NAME, "clearing")
    fact = Fact(row.school_id, "former_credit", str(row.id), now.astimezone(VIET_NAM).date(), "Tiền tồn chuyển sang")
    post(session, fact, [
        Line(CLEARING, FAMILY_CREDIT, line.credit, line.pupil_id, line.item_code or None) for line in lines
    ], now)  # fmt: skip


def _start_receipts(session: Session, row: FormerImport, actor: Actor, now: datetime) -> None:
    """Let a receipt book go on from the former program's last number; only before its first receipt here."""
    if row.receipt_book is None or row.receipt_last is None:
        return
    book = book_of(session, row.school_id, row.receipt_book)
    begun = session.exec(
        select(ReceiptCounter.last_number).where(ReceiptCounter.book_id == book).with_for_update()
    ).one()
    if begun:
        raise Conflict(f"Quyển {row.receipt_book} đã có biên lai số {begun} ở đây; không đổi được số bắt đầu nữa.")
    session.add(
        ReceiptStart(
            book_id=book,
            school_id=row.school_id,
            import_id=row.id,
            last_number=row.receipt_last,
            made_by=row.made_by,
            approved_by=person(actor),
            at=now,
        )
    )
    session.flush()
    session.execute(
        update(ReceiptCounter).where(col(ReceiptCounter.book_id) == book).values(last_number=row.receipt_last)
    )
