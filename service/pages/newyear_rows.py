"""The pages of a new school year, from rows of one school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import Refused
from billing.fees.grades import Rung, grades_of
from billing.fees.items import LEVEL_NAMES, Level
from billing.fees.tables import FeeItem
from billing.newyear.carrying_on import GoingOn, preview_going_on
from billing.newyear.choosing import usual_ways
from billing.newyear.classes import NewClass, classes_of, propose_classes
from billing.newyear.copying import CarriedRow, preview_prices
from billing.newyear.next_class import next_grade
from billing.newyear.opening import OpeningLine, newest_opening, opening_now, signature_of
from billing.newyear.price_runs import audience_of
from billing.newyear.promoting import CHOICE_NAMES, Choice, Decided
from billing.newyear.standing import YearPupil, YearPupils, read_year_pupils
from billing.newyear.tables import YearStep
from billing.newyear.years import first_school_day, read_year, year_after, year_before
from billing.payments.receipts import school_year_of
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, Pupil, School
from service.access.tables import User
from service.pages.newyear_views import (
    OUT,
    BalanceRow,
    BalancesPage,
    ClassesPage,
    ClassRow,
    ClassWay,
    GoingOnPage,
    OldClass,
    OptInRow,
    PriceRow,
    PricesPage,
    PromotedRow,
    PromotionPage,
    StepRow,
    TypedChoice,
    TypedClasses,
    TypedWays,
    YearPage,
)
from service.pages.typed import read_id

_SHOWN = 300
_LAST_MONTH = 12
_YEAR_STARTS_IN = 8


def year_of(session: Session, school_id: UUID, typed: str, today: date) -> str:
    """Return the year that is meant; without one, the next, or in autumn the present one if it had one before."""
    if typed:
        return read_year(typed)
    present = school_year_of(today)
    autumn = _YEAR_STARTS_IN <= today.month <= _LAST_MONTH
    return present if autumn and classes_of(session, school_id, year_before(present)) else year_after(present)


def year_page(session: Session, school: School, year: str, today: date) -> YearPage:
    """Return the steps; the first one that is not done is the next."""
    known = read_year_pupils(session, school.id, year)
    steps = [
        _prices_step(session, school, year),
        _classes_step(session, school, year),
        _promotion_step(known),
        _going_on_step(session, school.id, year, known),
        _balances_step(session, school.id, year),
    ]
    following = next((place for place, step in enumerate(steps) if step[3] == "open"), len(steps))
    rows = tuple(
        StepRow(f"/van-phong/nam-hoc-moi/{path}", vi, en, "next" if place == following else _stands(state), says)
        for place, (path, vi, en, state, says) in enumerate(steps)
    )
    present = school_year_of(today)
    years = tuple(dict.fromkeys((year, present, year_after(present))))
    return YearPage(year, year_before(year), tuple(sorted(years)), rows, known.tally)


_Step = tuple[str, str, str, str, tuple[str, str]]


def _stands(state: str) -> str:
    return "done" if state == "done" else "later"


def _prices_step(session: Session, school: School, year: str) -> _Step:
    rows = preview_prices(session, school, year, {})
    left = sum(row.state in ("new", "refused") for row in rows)
    state = "open" if left or not rows else "done"
    says = (f"Còn {left} mức thu chưa ghi cho năm mới", f"{left} prices are not written yet") if left else (
        "Mọi mức thu đã có trong năm mới", "All prices stand in the new year")  # fmt: skip
    return "khoan-thu", "Khoản thu, mức thu", "Items and prices", state, says


def _classes_step(session: Session, school: School, year: str) -> _Step:
    rows = propose_classes(session, school, year)
    left = sum(not row.made for row in rows)
    state = "open" if left or not rows else "done"
    says = f"{len(rows) - left} lớp đã tạo, {left} lớp đề xuất", f"{len(rows) - left} made, {left} proposed"
    return "lop", "Tạo lớp", "Classes", state, says


def _promotion_step(known: YearPupils) -> _Step:
    tally = known.tally
    state = "done" if tally.before and not tally.undecided and not tally.waiting else "open"
    says = (
        f"{tally.undecided} em chưa quyết, {tally.waiting} em chờ thực hiện, {tally.done} em đã xong",
        f"{tally.undecided} undecided, {tally.waiting} to be carried out, {tally.done} done",
    )
    return "len-lop", "Xét lên lớp", "Promotion", state, says


def _going_on_step(session: Session, school_id: UUID, year: str, known: YearPupils) -> _Step:
    found = preview_going_on(session, school_id, year)
    left = found.reductions + len(found.rules)
    ready = bool(known.tally.done)
    touched = session.exec(
        select(YearStep.id).where(
            YearStep.school_id == school_id, YearStep.school_year == year, YearStep.step == "carrying_on"
        )
    ).first()
    state = "done" if ready and not left and (touched or not found.opt_ins) else "open"
    says = (f"{left} miễn giảm, quy định còn chờ chuyển", f"{left} reductions and rules to go on")
    return "tiep-noi", "Miễn giảm, đăng ký tiếp nối", "Reductions, registrations", state, says


def _balances_step(session: Session, school_id: UUID, year: str) -> _Step:
    opening = newest_opening(session, school_id, year)
    if opening is None:
        state, says = "open", ("Chưa lập danh sách số dư", "No list yet")
    elif signature_of(session, opening) is None:
        state, says = "open", ("Đã lập, chờ người duyệt ký", "Drawn up, waits for the signature")
    else:
        state, says = "done", ("Hai người đã ký", "Signed by two people")
    return "so-du", "Số dư chuyển sang", "Balances", state, says


def prices_page(session: Session, school: School, year: str, percent: int) -> PricesPage:
    """Return the prices that go on."""
    rows = preview_prices(session, school, year, {}, percent)
    return PricesPage(year, tuple(map(_price, rows)), percent)


def _price(row: CarriedRow) -> PriceRow:
    _, levels, grades, classes = audience_of(row.carried.price)
    named = [LEVEL_NAMES[Level(level)] for level in levels]
    named += [f"khối {grade}" for grade in grades] + [f"lớp {code}" for code in classes]
    days = row.carried.days
    return PriceRow(
        key=row.carried.key,
        item=row.carried.price.item.name,
        audience=", ".join(named),
        was=row.was,
        amount=row.amount,
        rise=row.rise,
        start=days.start,
        end=days.end,
        state=row.state,
        said=row.said,
    )


def classes_page(session: Session, school: School, year: str) -> ClassesPage:
    """Return the classes of the new year."""
    rows = tuple(
        ClassRow(f"{row.level.value}|{row.grade}|{row.code}", row.code, row.grade, ", ".join(row.of), row.made)
        for row in propose_classes(session, school, year)
    )
    levels = tuple((level, LEVEL_NAMES[Level(level)]) for level in school.levels)
    return ClassesPage(year, rows, levels, grades_of(map(Level, school.levels)))


def classes_typed(typed: TypedClasses) -> list[NewClass]:
    """Return the classes that are meant; raises ``Refused`` for what is no class."""
    keys = [*typed.keys, *([f"{typed.level}|{typed.grade}|{typed.code}"] if typed.code.strip() else [])]
    try:
        parts = [key.split("|", 2) for key in keys]
        return [NewClass(Level(level), int(grade), code) for level, grade, code in parts]
    except ValueError as error:
        raise Refused("Hãy ghi mã lớp, khối (số) và cấp học của lớp mới.") from error


def promotion_page(session: Session, school: School, year: str, class_id: str) -> PromotionPage:
    """Return the counts, the classes of last year, and the pupils of the one chosen (the first undecided, else)."""
    known = read_year_pupils(session, school.id, year)
    by_class: dict[str, list[YearPupil]] = {}
    groups: dict[str, ClassGroup] = {}
    for each in known.pupils:
        key = str(each.group.id) if each.group else ""
        by_class.setdefault(key, []).append(each)
        if each.group:
            groups[key] = each.group
    classes = tuple(
        OldClass(
            key,
            groups[key].code if key in groups else "–",
            len(pupils),
            sum(each.standing.decided is None for each in pupils),
        )
        for key, pupils in by_class.items()
    )
    first = next((each.class_id for each in classes if each.undecided), classes[0].class_id if classes else "")
    shown = class_id if class_id in by_class else first
    rows = tuple(map(_promoted, by_class.get(shown, ())))
    new = tuple((str(group.id), group.code) for group in known.classes.values())
    ways = _ways(known, school, [(groups[each.class_id], each.undecided) for each in classes if each.class_id])
    return PromotionPage(year, known.tally, classes, shown, rows, new, first_school_day(year), ways)


def _ways(known: YearPupils, school: School, old: Sequence[tuple[ClassGroup, int]]) -> tuple[ClassWay, ...]:
    """Return where each class of last year with undecided pupils may go."""
    usual, rungs = usual_ways(known, school), [Rung.of(group) for group in known.classes.values()]
    found = []
    for group, undecided in old:
        grade = next_grade(Level(group.level), group.grade, rungs)
        above = tuple((str(each.id), each.code) for each in known.classes.values() if each.grade == grade)
        way = usual.get(group.id)
        chosen = "" if way is None else str(way.class_id) if way.class_id else OUT
        found.append(ClassWay(str(group.id), group.code, undecided, above, chosen))
    return tuple(each for each in found if each.undecided)


def _promoted(each: YearPupil) -> PromotedRow:
    decided = each.standing.decided
    return PromotedRow(
        enrolment_id=str(each.standing.enrolment_id),
        name=each.full_name,
        code=each.code,
        choice=decided.choice.value if decided else "",
        new_class=each.new_class,
        done=each.standing.done,
        ends_on=each.standing.ends_on,
    )


def choices_typed(typed: TypedChoice) -> dict[UUID, Decided]:
    """Return what is meant by last year's enrolment; raises ``Refused`` without a pupil or a choice."""
    if typed.choice not in {choice.value for choice in CHOICE_NAMES}:
        raise Refused("Hãy chọn kết quả: lên lớp, ở lại, thôi học, chuyển trường hoặc ra trường.")
    if not typed.enrolments:
        raise Refused("Hãy đánh dấu ít nhất một em.")
    choice = Choice(typed.choice)
    group = read_id(typed.class_id) if choice.stays and typed.class_id else None
    return {read_id(each): Decided(choice, group) for each in typed.enrolments}


def ways_typed(typed: TypedWays) -> dict[UUID, Decided]:
    """Return what is meant by class of last year; raises ``Refused`` where nothing is chosen."""
    if len(typed.classes) != len(typed.ways):
        raise Refused("Bảng lớp thiếu ô. Hãy tải lại trang rồi làm lại.")
    chosen = [(read_id(old), way) for old, way in zip(typed.classes, typed.ways, strict=True) if way]
    if not chosen:
        raise Refused("Hãy chọn lớp mới cho ít nhất một lớp.")
    return {
        old: Decided(Choice.GRADUATED) if way == OUT else Decided(Choice.PROMOTED, read_id(way)) for old, way in chosen
    }


def going_on_page(session: Session, school_id: UUID, year: str) -> GoingOnPage:
    """Return what can go on; ready once somebody has a place in the new year."""
    found: GoingOn = preview_going_on(session, school_id, year)
    ready = read_year_pupils(session, school_id, year).tally.done > 0
    opt_ins = tuple(
        OptInRow(each.code, each.name, each.with_evidence, each.without, each.carried) for each in found.opt_ins
    )
    return GoingOnPage(year, found.reductions, found.reductions_done, found.ended, found.rules, opt_ins, ready)


def balances_page(session: Session, school_id: UUID, year: str, user_id: UUID) -> BalancesPage:
    """Return what is open and kept now, and the list that was drawn up last with its names."""
    now = opening_now(session, school_id, year)
    opening = newest_opening(session, school_id, year)
    signature = signature_of(session, opening) if opening else None
    rows = _balance_rows(session, school_id, now.lines)
    standing = opening or now
    return BalancesPage(
        year=year,
        rows=tuple(rows[:_SHOWN]),
        more=max(len(rows) - _SHOWN, 0),
        due=standing.due,
        credit=standing.credit,
        pupils=standing.pupils,
        digest=standing.digest.hex(),
        opening_id=str(opening.id) if opening else "",
        maker=_name(session, opening.made_by) if opening else "",
        made_at=opening.made_at if opening else None,
        signer=_name(session, signature.approved_by) if signature else "",
        signed_at=signature.at if signature else None,
        changed=opening is not None and opening.digest != now.digest,
        own=opening is not None and opening.made_by == user_id,
    )


def _balance_rows(session: Session, school_id: UUID, lines: tuple[OpeningLine, ...]) -> list[BalanceRow]:
    ids = {line.pupil_id for line in lines}
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(ids))).all())
    items = dict(session.exec(select(FeeItem.code, FeeItem.legal_name).where(FeeItem.school_id == school_id)).all())
    rows = [
        BalanceRow(
            names[line.pupil_id],
            "",
            line.number or items.get(line.item_code or "", "Nộp thừa"),
            line.period,
            line.amount if line.bill_id else None,
            None if line.bill_id else line.amount,
        )
        for line in lines
    ]
    return sorted(rows, key=lambda row: sort_key(row.pupil))


def _name(session: Session, user_id: UUID) -> str:
    user = session.get(User, user_id)
    return user.full_name if user else ""
