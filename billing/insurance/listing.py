"""Lists for the insurer: what is paid and was not told yet, frozen with its digest when it is sent.

The first list of a year holds everybody who is paid; each later one the differences to all lists before it: who paid
late, and (below zero) who is to be taken off. All lists of a year together are what stands on the paid bills.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.tables import Bill, BillLine
from billing.cards.entering import number_of
from billing.cards.months import later
from billing.cards.reading import live_cards
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.insurance.buying import Purchase, purchases
from billing.insurance.list_sheet import ListedPupil, list_digest
from billing.insurance.parting import Amounts, summed
from billing.insurance.tables import InsuranceList, InsuranceListLine
from billing.money import Money
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, Pupil
from billing.storage import among
from billing.vault import Vault


@dataclass(frozen=True, slots=True)
class Change:
    """What a list is to say of one bill's line."""

    line_id: int
    pupil_id: UUID
    class_id: UUID
    first_month: date
    months: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Draft:
    """What the next list of a year would hold, and its digest; ``unpaid`` waits for a later one."""

    year: int
    number: int
    lines: tuple[tuple[Change, ListedPupil], ...]
    digest: str
    unpaid: tuple[Purchase, ...]

    @property
    def pupils(self) -> tuple[ListedPupil, ...]:
        """The lines as they are told."""
        return tuple(told for _, told in self.lines)

    @property
    def sums(self) -> Amounts:
        """The sums by payer."""
        return summed([change.amounts for change, _ in self.lines])


def draft_list(session: Session, vault: Vault, school_id: UUID, year: int) -> Draft:
    """Return what the next list would hold as things stand."""
    bought = purchases(session, school_id, year)
    told = _told(session, vault, school_id, year, _changes(session, school_id, year, bought))
    digest = list_digest([pupil for _, pupil in told])
    number = len(lists_of(session, school_id, year)) + 1
    return Draft(year, number, told, digest, tuple(each for each in bought if not each.settled))


def send_list(  # noqa: PLR0913, PLR0917  a deed, what was shown, its moment
    session: Session, vault: Vault, actor: Actor, school_id: UUID, year: int, shown: str, now: datetime
) -> InsuranceList:
    """Freeze the next list as it was shown; raises ``Refused`` when it is empty, ``Conflict`` when it changed."""
    if actor.user_id is None:
        raise NotAllowed("Danh sách BHYT phải do một người có tên gửi.")
    name = {"name": f"insurance list {school_id} {year}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    draft = draft_list(session, vault, school_id, year)
    if not draft.lines:
        raise Refused("Chưa có thay đổi nào để gửi cơ quan bảo hiểm: không có ai mới nộp đủ tiền.")
    if draft.digest != shown:
        raise Conflict("Danh sách đã đổi sau khi xem (có người vừa nộp hoặc sửa thẻ). Hãy xem lại rồi gửi.")
    made = InsuranceList(
        school_id=school_id,
        year=year,
        number=draft.number,
        lines=len(draft.lines),
        family=draft.sums.family,
        digest=bytes.fromhex(draft.digest),
        sent_by=actor.user_id,
        sent_at=now,
    )
    session.add(made)
    session.flush()
    sealed = {pupil: card.number_sealed for pupil, card in live_cards(session, school_id, year, _pupils(draft)).items()}
    session.add_all(
        _line(made, position, change, pupil, sealed.get(change.pupil_id))
        for position, (change, pupil) in enumerate(draft.lines, 1)
    )
    session.flush()
    deed = Deed(school_id, "insurance.send_list", "insurance_list", str(made.id))
    record_deed(session, actor, deed, now, year=year, number=made.number, lines=made.lines, digest=draft.digest)
    return made


def lists_of(session: Session, school_id: UUID, year: int) -> list[InsuranceList]:
    """Return the lists of a year that were sent, in their order."""
    rows = session.exec(
        select(InsuranceList)
        .where(InsuranceList.school_id == school_id, InsuranceList.year == year)
        .order_by(col(InsuranceList.number))
    ).all()
    return list(rows)


def find_list(session: Session, school_id: UUID, list_id: UUID) -> InsuranceList:
    """Return a list; raises ``NotFound``."""
    found = session.exec(
        select(InsuranceList).where(InsuranceList.school_id == school_id, InsuranceList.id == list_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy danh sách BHYT này.", list=list_id)
    return found


def lines_of(session: Session, sent: InsuranceList) -> list[InsuranceListLine]:
    """Return the lines of a list in their order."""
    rows = session.exec(
        select(InsuranceListLine)
        .where(InsuranceListLine.school_id == sent.school_id, InsuranceListLine.list_id == sent.id)
        .order_by(col(InsuranceListLine.position))
    ).all()
    return list(rows)


def sent_pupils(session: Session, vault: Vault, sent: InsuranceList) -> tuple[ListedPupil, ...]:
    """Return a list's lines as they were sent; raises ``Conflict`` unless they give the digest it was sent with."""
    pupils = tuple(
        ListedPupil(
            row.full_name,
            row.birth_date,
            row.sex,
            number_of(vault, row.number_sealed),
            row.first_month,
            row.months,
            Amounts(row.state, row.province, row.others, row.family),
            row.class_code,
        )
        for row in lines_of(session, sent)
    )
    if list_digest(pupils) != sent.digest.hex():
        raise Conflict("Danh sách đã lưu không khớp mã kiểm tra khi gửi. Hãy báo quản trị hệ thống.", list=sent.id)
    return pupils


def listed(session: Session, school_id: UUID, year: int) -> dict[int, tuple[InsuranceListLine, int, Amounts]]:
    """Return by bill line what all lists of a year said: the newest line, the months and the sums."""
    rows = session.exec(
        select(InsuranceListLine)
        .join(InsuranceList, col(InsuranceList.id) == col(InsuranceListLine.list_id))
        .where(InsuranceListLine.school_id == school_id, InsuranceList.year == year)
        .order_by(col(InsuranceListLine.id))
    ).all()
    by_line: dict[int, list[InsuranceListLine]] = defaultdict(list)
    for row in rows:
        by_line[row.bill_line_id].append(row)
    return {
        line: (told[-1], sum(each.months for each in told), summed([_of_row(each) for each in told]))
        for line, told in by_line.items()
    }


def _of_row(row: InsuranceListLine) -> Amounts:
    return Amounts(row.state, row.province, row.others, row.family)


def _changes(session: Session, school_id: UUID, year: int, bought: Sequence[Purchase]) -> list[Change]:
    before = listed(session, school_id, year)
    paid = {each.line_id: each for each in bought if each.settled}
    changes = []
    for line, each in paid.items():
        _, months, amounts = before.get(line, (None, 0, Amounts()))
        # What is taken off are the last months that were told.
        first = later(each.first_month, each.months_kept) if each.months_kept < months else each.first_month
        changes.append(
            Change(line, each.pupil_id, each.class_id, first, each.months_kept - months, each.kept - amounts)
        )
    gone = [line for line in before if line not in paid]
    classes = _classes_of_lines(session, school_id, gone)
    for line in gone:
        newest, months, amounts = before[line]
        changes.append(Change(line, newest.pupil_id, classes[line], newest.first_month, -months, Amounts() - amounts))
    return [each for each in changes if each.months or each.amounts]


def _classes_of_lines(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, UUID]:
    rows = session.exec(
        select(col(BillLine.id), col(Bill.class_id))
        .join(Bill, (col(Bill.school_id) == BillLine.school_id) & (col(Bill.id) == BillLine.bill_id))
        .where(BillLine.school_id == school_id, col(BillLine.id).in_(lines))
    ).all()
    return {line: group for line, group in rows if line is not None and group is not None}


def _told(
    session: Session, vault: Vault, school_id: UUID, year: int, changes: Sequence[Change]
) -> tuple[tuple[Change, ListedPupil], ...]:
    """Return the changes with what is told of each pupil, class by class in the order of a class list."""
    ids = {change.pupil_id for change in changes}
    pupils = {pupil.id: pupil for pupil in session.exec(select(Pupil).where(among(Pupil.id, ids))).all()}
    groups = {each.id: each for each in session.exec(select(ClassGroup).where(ClassGroup.school_id == school_id)).all()}
    cards = live_cards(session, school_id, year, ids)

    def place(change: Change) -> tuple[object, ...]:
        group, pupil = groups[change.class_id], pupils[change.pupil_id]
        return group.grade, group.code, sort_key(pupil.full_name), pupil.id, change.line_id

    def told(change: Change) -> ListedPupil:
        pupil, card = pupils[change.pupil_id], cards.get(change.pupil_id)
        number = number_of(vault, card.number_sealed) if card else ""
        return ListedPupil(
            pupil.full_name, pupil.birth_date, pupil.sex, number, change.first_month, change.months, change.amounts,
            groups[change.class_id].code,
        )  # fmt: skip

    return tuple((change, told(change)) for change in sorted(changes, key=place))


def _pupils(draft: Draft) -> set[UUID]:
    return {change.pupil_id for change, _ in draft.lines}


def _line(
    sent: InsuranceList, position: int, change: Change, pupil: ListedPupil, sealed: bytes | None
) -> InsuranceListLine:
    amounts = change.amounts
    return InsuranceListLine(
        school_id=sent.school_id,
        list_id=sent.id,
        bill_line_id=change.line_id,
        pupil_id=change.pupil_id,
        position=position,
        full_name=pupil.full_name,
        birth_date=pupil.birth_date,
        sex=pupil.sex,
        class_code=pupil.class_code,
        number_sealed=sealed,
        first_month=change.first_month,
        months=change.months,
        gross=amounts.gross,
        state=amounts.state,
        province=amounts.province,
        others=amounts.others,
        family=amounts.family,
    )


def told_to_insurer(session: Session, school_id: UUID, year: int) -> Money:
    """Return what all lists of a year say that families paid."""
    return summed([amounts for _, _, amounts in listed(session, school_id, year).values()]).family
