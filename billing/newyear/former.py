"""A former program's file: read in by one person against typed totals, and taken over once another approves.

Before the approval nothing stands but the lines as they were read. What was opened for a pupil and item once is never
opened again, whatever the program is called, so the same file twice adds nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import BadRows, Conflict, NotFound, Refused, RowProblem
from billing.fees.items import Group
from billing.fees.reducing import person
from billing.fees.tables import FeeItem
from billing.money import ZERO, Money, total
from billing.newyear.classes import one_year_at_a_time
from billing.newyear.former_sheet import COLUMNS, FormerLine, FormerPupil, FormerReading
from billing.newyear.tables import FormerBalance, FormerDecision, FormerImport
from billing.newyear.years import read_year
from billing.payments.tables import ReceiptBook, ReceiptCounter
from billing.people.names import search_key
from billing.people.sheet_pupils import read_pupils
from billing.people.tables import Enrolment, Pupil, PupilCode, School
from billing.people.workbook import open_upload, refused_file
from billing.visible import is_blank

_VIET_NAM = timedelta(hours=7)
_LONGEST_PROGRAM = 16
# One instant transfer takes less (NAPAS); an opening bill has no instalments.
_TOO_LARGE = Money(500_000_000)


@dataclass(frozen=True, slots=True)
class FormerPlan:
    """What the accountant types beside the file: the year whose pupils are meant, up to which month dues reach, sums.

    ``receipt_book`` and ``receipt_last``: the year of a receipt book and the last number the former program gave out.
    """

    school_year: str
    program: str
    period: date
    due_on: date
    due: Money
    credit: Money
    receipt_book: str = ""
    receipt_last: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What was taken over for a pupil and item: how much, from which program, on which day."""

    amount: Money
    program: str
    day: date

    @property
    def whence(self) -> str:
        """Where it came from, in words."""
        return f"từ phần mềm “{self.program}” ngày {self.day:%d/%m/%Y}"


def kind_of(program: str) -> str:
    """Return the kind under which a program's codes of pupils are kept."""
    return f"old:{program}"


def program_of(text: str) -> str:
    """Return a program's short name: letters and digits, at most 16; raises ``Refused`` for none."""
    name = search_key(text).replace(" ", "")[:_LONGEST_PROGRAM]
    if not name:
        raise Refused("Hãy ghi tên phần mềm cũ, ví dụ “Excel của kế toán”.")
    return name


def propose_former(  # noqa: PLR0913, PLR0917  where, what, which file, by whom
    session: Session, school: School, plan: FormerPlan, data: bytes, actor: Actor, now: datetime
) -> FormerImport:
    """Read a file in for another person's approval; nothing is booked.

    Raises ``BadRows`` with every line that cannot be taken or that another program's file opened, ``Refused`` when the
    sums are not those typed or days make no sense, ``Conflict`` when the receipt book has begun. Lines that were taken
    over already are left out.
    """
    one_year_at_a_time(session, school.id)
    program, today = program_of(plan.program), (now + _VIET_NAM).date()
    read_year(plan.school_year)
    if plan.period.replace(day=1) > today:
        raise Refused("Tháng của số còn phải nộp không được sau hôm nay.")
    _refuse_begun(session, school.id, plan)
    lines = _read(session, school, plan.school_year, program, data, today)
    due, credit = total(line.due for line in lines), total(line.credit for line in lines)
    _refuse_other_sums(plan, due, credit)
    fresh = _not_yet(opened(session, school.id), program, lines)
    if not fresh and not plan.receipt_book:
        raise Conflict("Mọi dòng của tệp này đã được chuyển sang rồi; không có gì mới.")
    row = FormerImport(
        school_id=school.id,
        school_year=plan.school_year,
        program=program,
        period=plan.period.replace(day=1),
        due_on=plan.due_on,
        content={"lines": [as_json(line) for line in fresh], "left_out": len(lines) - len(fresh)},
        due=total(line.due for line in fresh),
        credit=total(line.credit for line in fresh),
        receipt_book=plan.receipt_book or None,
        receipt_last=plan.receipt_last if plan.receipt_book else None,
        digest=digest_of(fresh),
        made_by=person(actor),
        made_at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school.id, "year.read_former", "former_import", str(row.id))
    record_deed(session, actor, deed, now, program=program, due=row.due.dong, credit=row.credit.dong, lines=len(fresh))
    return row


def reject_former(  # noqa: PLR0913, PLR0917  which file, by whom, why
    session: Session, school_id: UUID, import_id: UUID, actor: Actor, reason: str, now: datetime
) -> FormerDecision:
    """Say no to a file that was read in; raises ``Refused`` without a reason, ``Conflict`` when it is decided."""
    row = waiting_import(session, school_id, import_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không nhận tệp này.")
    decision = FormerDecision(
        import_id=row.id, school_id=school_id, approved=False, decided_by=person(actor), reason=reason.strip(), at=now
    )
    session.add(decision)
    session.flush()
    record_deed(session, actor, Deed(school_id, "year.reject_former", "former_import", str(row.id), reason), now)
    return decision


def find_import(session: Session, school_id: UUID, import_id: UUID) -> FormerImport:
    """Return a file of the school that was read in; raises ``NotFound`` for any other."""
    found = session.exec(
        select(FormerImport).where(FormerImport.school_id == school_id, FormerImport.id == import_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy tệp này.", import_id=import_id)
    return found


def decision_of(session: Session, row: FormerImport) -> FormerDecision | None:
    """Return what was decided about a file, if anything was."""
    return session.exec(select(FormerDecision).where(FormerDecision.import_id == row.id)).one_or_none()


def waiting_import(session: Session, school_id: UUID, import_id: UUID) -> FormerImport:
    """Return a file that waits, while nobody else decides; raises ``Conflict`` when it is decided."""
    one_year_at_a_time(session, school_id)
    row = find_import(session, school_id, import_id)
    if decision_of(session, row) is not None:
        raise Conflict("Tệp này đã được quyết định rồi. Hãy tải lại trang.", import_id=import_id)
    return row


def as_json(line: FormerLine) -> dict[str, str | int]:
    """Return a line as it is kept."""
    return {
        "line": line.line,
        "enrolment": str(line.enrolment_id),
        "pupil": str(line.pupil_id),
        "code": line.old_code,
        "item": line.item_code,
        "due": line.due.dong,
        "credit": line.credit.dong,
    }


def lines_kept(row: FormerImport) -> list[FormerLine]:
    """Return the lines of a file as they were kept."""
    return [
        FormerLine(
            line["line"], UUID(line["enrolment"]), UUID(line["pupil"]), line["code"], line["item"],
            Money(line["due"]), Money(line["credit"]),
        )
        for line in row.content["lines"]
    ]  # fmt: skip


def digest_of(lines: Sequence[FormerLine]) -> bytes:
    """Return SHA-256 over the lines, whatever their order in the file."""
    rows = sorted(
        [str(line.pupil_id), line.old_code, line.item_code, line.due.dong, line.credit.dong] for line in lines
    )
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def opened(session: Session, school_id: UUID) -> dict[tuple[UUID, str, str], Opened]:
    """Return what was taken over from any program, by pupil, kind (*due*, *credit*) and item.

    A program's name is free text: the same file under another name opens nothing a second time.
    """
    rows = session.exec(
        select(FormerBalance, col(FormerDecision.at))
        .join(FormerDecision, col(FormerDecision.import_id) == col(FormerBalance.import_id))
        .where(FormerBalance.school_id == school_id)
    ).all()
    return {
        (row.pupil_id, row.kind, row.item_code): Opened(row.amount, row.program, (at + _VIET_NAM).date())
        for row, at in rows
    }


def balances_of(line: FormerLine) -> list[tuple[tuple[UUID, str, str], Money]]:
    """Return what a line opens, under the same keys."""
    both = (("due", line.due), ("credit", line.credit))
    return [((line.pupil_id, kind, line.item_code), amount) for kind, amount in both if amount]


def _read(  # noqa: PLR0913, PLR0917  which file, against what
    session: Session, school: School, school_year: str, program: str, data: bytes, today: date
) -> list[FormerLine]:
    upload = open_upload(data, COLUMNS)
    pupils = _pupils(session, school, school_year, program)
    # What is given freely is never due (circular 16/2018).
    due = FeeItem.school_id == school.id, FeeItem.item_group != Group.DONATION.value
    items = dict(session.exec(select(FeeItem.code, FeeItem.legal_name).where(*due)).all())
    reading = FormerReading(upload, pupils, items, today)
    for line in upload.lines():
        reading.line(line)
    upload.refuse_if_bad()
    if not reading.lines:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền tệp mẫu rồi gửi lại.")
    _refuse_large(session, school.id, reading.lines)
    return reading.lines


def _pupils(session: Session, school: School, school_year: str, program: str) -> list[FormerPupil]:
    known = read_pupils(session, school.id, school_year)
    rows = session.exec(
        select(col(Enrolment.id), col(Enrolment.pupil_id), col(Pupil.birth_date))
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .where(Enrolment.school_id == school.id, Enrolment.school_year == school_year)
    ).all()
    old = old_codes(session, school, program)
    return [
        FormerPupil(
            enrolment, pupil, known.by_enrolment[enrolment].code, known.by_enrolment[enrolment].full_name, born,
            known.by_enrolment[enrolment].class_code, old.get(pupil, ""),
        )
        for enrolment, pupil, born in rows
        if known.by_enrolment[enrolment].newest
    ]  # fmt: skip


def old_codes(session: Session, school: School, program: str) -> dict[UUID, str]:
    """Return by pupil the code that a program of this school had; they are kept behind the school's own code."""
    rows = session.exec(
        select(col(PupilCode.pupil_id), col(PupilCode.code)).where(
            PupilCode.province_id == school.province_id,
            PupilCode.kind == kind_of(program),
            col(PupilCode.code).startswith(f"{school.code}/", autoescape=True),
        )
    ).all()
    return {pupil: code.partition("/")[2] for pupil, code in rows}


def _refuse_large(session: Session, school_id: UUID, lines: Sequence[FormerLine]) -> None:
    accounts: Mapping[str, UUID] = dict(
        session.exec(select(FeeItem.code, col(FeeItem.bank_account_id)).where(FeeItem.school_id == school_id)).all()
    )
    sums: dict[tuple[UUID, UUID | None], Money] = {}
    problems = []
    for line in lines:
        key = line.pupil_id, accounts.get(line.item_code)
        sums[key] = sums.get(key, ZERO) + line.due
        if sums[key] >= _TOO_LARGE:
            said = f"Số còn phải nộp của một em lên tới {sums[key]}, vượt hạn mức một lần chuyển khoản."
            problems.append(RowProblem(line.line, "Còn phải nộp (đồng)", said, "Kiểm tra lại số tiền."))
    if problems:
        raise BadRows(f"Tệp có {len(problems)} chỗ cần sửa; chưa lưu gì cả.", problems)


def _refuse_other_sums(plan: FormerPlan, due: Money, credit: Money) -> None:
    for name, typed, found in (("còn phải nộp", plan.due, due), ("tiền tồn, nộp thừa", plan.credit, credit)):
        if typed != found:
            raise Refused(
                f"Tổng {name} đã gõ là {typed}, còn tệp cộng lại là {found}. Hãy kiểm tra tệp hoặc số tổng;"
                " chưa lưu gì cả."
            )


def _not_yet(
    known: Mapping[tuple[UUID, str, str], Opened], program: str, lines: Sequence[FormerLine]
) -> list[FormerLine]:
    """Return the lines of which nothing was taken over; raises ``BadRows`` where another sum or program was."""
    problems, fresh = [], []
    for line in lines:
        balances = balances_of(line)
        there = [(known[key], amount) for key, amount in balances if key in known]
        other = next((was for was, _ in there if was.program != program), None)
        if other is not None:
            said = f"Em này và khoản này đã chuyển sang {other.whence}."
            remedy = "Bỏ dòng này; nếu phần mềm này còn một số tiền khác thì ghi cho khoản thu khác."
            problems.append(RowProblem(line.line, "Mã khoản thu", said, remedy))
        elif any(was.amount != amount for was, amount in there) or 0 < len(there) < len(balances):
            said = f"Em này và khoản này đã chuyển sang với số tiền khác ({there[0][0].whence})."
            problems.append(RowProblem(line.line, "Mã khoản thu", said, "Bỏ dòng này; sửa số dư bằng ghi giảm."))
        elif not there:
            fresh.append(line)
    if problems:
        raise BadRows(f"Tệp có {len(problems)} chỗ cần sửa; chưa lưu gì cả.", problems)
    return fresh


def _refuse_begun(session: Session, school_id: UUID, plan: FormerPlan) -> None:
    if not plan.receipt_book:
        return
    read_year(plan.receipt_book)
    if plan.receipt_last is None or plan.receipt_last < 1:
        raise Refused("Hãy ghi số biên lai cuối cùng của quyển, từ 1 trở lên.")
    begun = session.exec(
        select(ReceiptCounter.last_number)
        .join(ReceiptBook, col(ReceiptBook.id) == col(ReceiptCounter.book_id))
        .where(ReceiptBook.school_id == school_id, ReceiptBook.code == plan.receipt_book)
    ).one_or_none()
    if begun:
        raise Conflict(f"Quyển {plan.receipt_book} đã có biên lai số {begun} ở đây; không đổi được số bắt đầu nữa.")
