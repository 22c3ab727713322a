"""First stage: authorities, schools, staff, accounts, feeds, rosters, contacts, fees. Each step is done once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.fees.catalogue import shipped_catalogue
from billing.fees.items import Level
from billing.fees.registering import Registration, grant, register
from billing.fees.schedule import load_catalogue
from billing.fees.tables import FeeItem, Reduction
from billing.ledger.accounts import open_bank_ledger
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.people.contact_sheet import ContactRow, read_contacts
from billing.people.importing import import_contacts, import_roster
from billing.people.roster import RosterRow, read_roster
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, School
from notifications.sms_budget import set_monthly
from reconciliation.feeds.opening import open_feed, statement_feed
from reconciliation.tables import Feed
from service.access.tables import User
from service.database import EVERYTHING, Scope
from service.demo.people_maker import MadePupil, make_people
from service.demo.planning_stage import plan_collections
from service.demo.rosters import contact_rows, roster_rows, shipped
from service.demo.schools import AUTHORITIES, PROVINCE, SCHOOL_YEAR, STORY_SCHOOLS, DemoSchool, Told
from service.demo.stage import SCHEMES, Stage, feed_secret, feed_token
from service.setting_up import add_user, find_user, set_up
from service.setup_plan import PlannedAuthority, PlannedClass, PlannedSchool, SetupPlan

PASSWORD = "chay-thu-2025"  # noqa: S105  the log-ins of the demo are printed for everybody
AUDITOR = "kiemtoan"
PROVINCE_STAFF = "so.giaoduc"
YEAR_STARTS = date(2025, 9, 5)
SMS_A_MONTH = 300
HOLD_ABOVE = Money(20_000_000)
_CATALOGUES = {
    Level.PRESCHOOL: "public-preschool",
    Level.PRIMARY: "public-primary",
    Level.UPPER_SECONDARY: "public-upper-secondary",
}
_REGISTERED = {"BANTRU": 10, "TIENAN": 10, "XEDUARUOC": 3}  # every n-th pupil does (bus) or does not (boarding)
_BUS = "XEDUARUOC"


@dataclass(frozen=True, slots=True)
class Staff:
    """The accountant and the approver of a school."""

    accountant: Actor
    approver: Actor


def accountant_login(school: DemoSchool) -> str:
    """Return the log-in of a school's accountant."""
    return f"ketoan.{school.code}"


def approver_login(school: DemoSchool) -> str:
    """Return the log-in of whoever approves at a school."""
    return f"duyet.{school.code}"


def teacher_login(school: DemoSchool) -> str:
    """Return the log-in of the teacher of a school's first class."""
    return f"gvcn.{school.code}"


def move_in(stage: Stage) -> None:
    """Bring every school to the day before its first billing round; what is there already is left as it is."""
    wiring = stage.wiring
    with wiring.database.transaction(EVERYTHING) as session:
        ids = set_up(session, _plan(stage.schools), wiring.clock()).schools
        _add_staff(session, stage, ids, wiring.clock())
    people = {} if _is_the_story(stage) else make_people(stage.schools)
    with stage.progress("Trường, danh sách, khoản thu", len(stage.schools)) as bar:
        for school in stage.schools:
            with wiring.database.transaction(Scope.of(ids[school.code])) as session:
                _furnish(session, stage, school, people.get(school.code, ()))
            bar.update()


def staff_of(session: Session, school: DemoSchool) -> Staff:
    """Return who makes and who approves at a school."""
    found = {login: find_user(session, login) for login in (accountant_login(school), approver_login(school))}
    maker, approver = found.values()
    if maker is None or approver is None:
        raise LookupError(f"{school.name} has no staff yet")
    return Staff(Actor(maker.id, "accountant"), Actor(approver.id, "approver"))


def school_row(session: Session, school: DemoSchool) -> School:
    """Return the row of a school of the story."""
    return session.exec(select(School).where(School.code == school.code)).one()


def _is_the_story(stage: Stage) -> bool:
    """Tell whether the shipped sheets are of these schools: the story's own, with all of its classes."""
    told = [(school.code, [group.code for group in school.classes]) for school in STORY_SCHOOLS]
    return [(school.code, [group.code for group in school.classes]) for school in stage.schools] == told


def _plan(schools: tuple[DemoSchool, ...]) -> SetupPlan:
    below = tuple(
        PlannedAuthority(authority.kind.value, authority.code, authority.name)
        for authority in AUTHORITIES
        if authority is not PROVINCE
    )
    return SetupPlan((PROVINCE.code, PROVINCE.name), below, tuple(_planned(school) for school in schools))


def _planned(school: DemoSchool) -> PlannedSchool:
    return PlannedSchool(
        code=school.code,
        name=school.name,
        kind=school.ownership.value,
        levels=tuple(level.value for level in school.levels),
        zone=school.zone,
        legacy_area=school.legacy_area,
        authority=school.authority,
        address=school.address,
        phone=school.phone,
        budget_code=f"1{school.code[1:]}" if school.ownership.value == "public" else None,
        classes=tuple(
            PlannedClass(SCHOOL_YEAR, group.level.value, group.grade, group.code, group.name)
            for group in school.classes
        ),
    )


def _add_staff(session: Session, stage: Stage, schools: Mapping[str, UUID], now: datetime) -> None:
    province = school_row(session, stage.schools[0]).province_id
    wanted: list[tuple[str, str, str, UUID]] = [
        (AUDITOR, "Kiểm toán viên", "auditor", province),
        (PROVINCE_STAFF, "Chuyên viên Sở", "province", province),
    ]
    for school in stage.schools:
        place = schools[school.code]
        wanted.append((accountant_login(school), f"Kế toán {school.name}", "accountant", place))
        wanted.append((approver_login(school), f"Hiệu trưởng {school.name}", "approver", place))
        wanted.append((teacher_login(school), f"Giáo viên {school.name}", "class_teacher", place))
    for login, name, role, place in wanted:
        if find_user(session, login) is None:
            add_user(session, login, name, PASSWORD, [(role, place)], now)


def _furnish(session: Session, stage: Stage, school: DemoSchool, made: tuple[MadePupil, ...]) -> None:
    row = school_row(session, school)
    if session.exec(select(FeeItem.id).where(FeeItem.school_id == row.id)).first() is not None:
        return  # this school was furnished, in one transaction
    now = stage.wiring.clock()
    today = YEAR_STARTS
    staff = staff_of(session, school)
    account = _open_account(session, row, school)
    _open_feeds(session, stage, school, account)
    roster, contacts = _sheets(session, row, school, made, today)
    vault = stage.wiring.vault
    import_roster(session, vault, staff.accountant, row, SCHOOL_YEAR, roster, today, now)
    import_contacts(session, vault, staff.accountant, row, contacts, today, now)
    catalogue = shipped_catalogue("private-school" if row.kind == "private" else _CATALOGUES[school.levels[0]])
    load_catalogue(session, row, catalogue, {"main": account.id}, now, actor=staff.accountant)
    plan_collections(session, row, staff.accountant, staff.approver, now)
    _register(session, row, staff, now)
    _grant_reductions(session, row, staff, now)
    set_monthly(session, row.id, SMS_A_MONTH, staff.approver, now)


def _open_account(session: Session, row: School, school: DemoSchool) -> BankAccount:
    """Open the account with which the school comes, as an operator does; changes then take two people."""
    account = BankAccount(
        school_id=row.id,
        bank_bin=school.account.bank_bin,
        number=school.account.number,
        holder=school.account.holder,
        told_by="statement" if school.account.told_by is Told.STATEMENT else "callback",
        only_virtual=school.account.only_virtual,
        opened_on=YEAR_STARTS,
    )
    session.add(account)
    session.flush()
    open_bank_ledger(session, account)
    return account


def _open_feeds(session: Session, stage: Stage, school: DemoSchool, account: BankAccount) -> Feed:
    vault, now = stage.wiring.vault, stage.wiring.clock()
    scheme = SCHEMES.get(school.account.told_by)
    if scheme is None:
        return statement_feed(session, vault, account, now)
    settings = stage.wiring.settings
    hold = HOLD_ABOVE if school.account.told_by is Told.SEPAY_API_KEY else None
    secret, token = feed_secret(settings, school), feed_token(settings, school)
    feed, _ = open_feed(session, vault, account, "sepay", scheme, secret, hold, now, token=token)
    return feed


def _sheets(
    session: Session, row: School, school: DemoSchool, made: tuple[MadePupil, ...], today: date
) -> tuple[list[RosterRow], list[ContactRow]]:
    """Read the shipped sheets as an upload would; a larger demo makes the rows without the files.

    A smaller one leaves out the pupils for whom a class has no seat.
    """
    if made:
        return roster_rows(school, made), contact_rows(school, made)
    classes = session.exec(select(ClassGroup.code).where(ClassGroup.school_id == row.id)).all()
    roster_file, contact_file = shipped(school)
    roster = read_roster(roster_file, set(classes), today)
    names = {line.moet_code: line.full_name for line in roster if line.moet_code}
    seated = _seated(school, roster)
    codes = {line.moet_code for line in seated}
    return seated, [line for line in read_contacts(contact_file, names) if line.pupil_code in codes]


def _seated(school: DemoSchool, roster: Sequence[RosterRow]) -> list[RosterRow]:
    """Return the first pupils of each class, as many as it has seats."""
    seats = Counter({group.code: group.size for group in school.classes})
    seated = []
    for line in roster:
        if seats[line.class_code] > 0:
            seats[line.class_code] -= 1
            seated.append(line)
    return seated


def _enrolled(session: Session, row: School) -> list[tuple[UUID, str]]:
    """Return enrolments with their class, in an order that no random id decides."""
    query = (
        select(Enrolment.id, ClassGroup.code)
        .join(Pupil, col(Pupil.id) == Enrolment.pupil_id)
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == Enrolment.id)
        .join(ClassGroup, col(ClassGroup.id) == ClassPlacement.class_id)
        .where(Enrolment.school_id == row.id)
        .order_by(col(ClassGroup.code), col(Pupil.full_name), col(Pupil.birth_date))
    )
    return list(session.exec(query).all())


def _register(session: Session, row: School, staff: Staff, now: datetime) -> None:
    offered = session.exec(select(FeeItem.code).where(FeeItem.school_id == row.id, col(FeeItem.opt_in))).all()
    registrations = [
        Registration(enrolment_id, code, YEAR_STARTS.replace(day=1), f"Phiếu đăng ký lớp {class_code}, 08/2025")
        for place, (enrolment_id, class_code) in enumerate(_enrolled(session, row))
        for code in offered
        if (place % _REGISTERED[code] == 0) == (code == _BUS)
    ]
    register(session, row.id, staff.accountant, registrations, now)


def _grant_reductions(session: Session, row: School, staff: Staff, now: datetime) -> None:
    """Let a donor pay all of one pupil's bill, and half of another's agreed items."""
    enrolled = _enrolled(session, row)
    groups = ["tuition", "service", "agreed", "pass_through"]
    for place, percent, chosen in ((1, 100, groups), (2, 50, ["agreed"])):
        gift = Reduction(
            school_id=row.id,
            enrolment_id=enrolled[place][0],
            title="Học bổng khuyến học",
            item_groups=chosen,
            kind="percent",
            percent=percent,
            payer="donor",
            reason_class="donor",
            legal_basis="Quyết định trao học bổng của Hội Khuyến học phường, năm học 2025-2026",
            evidence=f"QĐ số {place}/2025",
            valid_from=YEAR_STARTS.replace(day=1),
            valid_to=date(2026, 5, 31),
        )
        grant(session, gift, staff.accountant, staff.approver, now)


def logins(session: Session, schools: tuple[DemoSchool, ...]) -> dict[str, str]:
    """Return one log-in of each kind of staff, by role."""
    known = set(session.exec(select(User.login)).all())
    wanted = {
        "accountant": accountant_login(schools[0]),
        "approver": approver_login(schools[0]),
        "class_teacher": teacher_login(schools[0]),
        "auditor": AUDITOR,
        "province": PROVINCE_STAFF,
    }
    return {role: login for role, login in wanted.items() if login in known}
