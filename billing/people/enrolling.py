"""A roster's pupils get a place in the school: found again or entered, enrolled in the year, put into their class.

A child that another school entered is found by its sector code. It is enrolled first, since only then may this school
see it (the database demands the right birth date for that), and compared afterwards; its name and birth date stay as
they are. Everything is written in bulk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from billing.errors import RowProblem
from billing.people.imported import PUPIL_CODE, Imported, problem, refuse
from billing.people.reading import fresh
from billing.people.recognising import CHECK_CODE, Claim, KnownPupil, entered_elsewhere, recognise
from billing.people.roster import RosterRow
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode, School
from billing.storage import new_id
from billing.vault import Vault

CITIZEN_CONTEXT = "pupils.citizen"
_SECTOR = "moet"
_NOT_KNOWN = "enrolment_is_known"  # the trigger's name for its refusal
_YEAR_STARTS = (9, 1)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Placed:
    """The last class of an enrolment in this year; ``open`` while it has no last day."""

    id: int
    class_code: str
    valid_from: date
    valid_to: date | None

    def next_day(self, today: date) -> date:
        """Return the first day another class can begin: today, but never the day on which this one began."""
        return max(today, (self.valid_to or self.valid_from) + _ONE_DAY)


@dataclass(slots=True)
class _Rows:
    """What will be written, table by table."""

    pupils: list[dict[str, Any]] = field(default_factory=list)
    codes: list[dict[str, Any]] = field(default_factory=list)
    enrolments: list[dict[str, Any]] = field(default_factory=list)
    placements: list[dict[str, Any]] = field(default_factory=list)
    corrected: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Enrolling:
    """One roster on its way into one school and year."""

    session: Session
    vault: Vault
    school: School
    school_year: str
    today: date
    classes: dict[str, UUID] = field(default_factory=dict)
    occupied: set[UUID] = field(default_factory=set)
    enrolments: dict[UUID, Enrolment] = field(default_factory=dict)  # the last of this year, by pupil
    placed: dict[UUID, _Placed] = field(default_factory=dict)  # by enrolment
    strangers: set[UUID] = field(default_factory=set)
    rows: _Rows = field(default_factory=_Rows)

    def take(self, rows: Sequence[RosterRow]) -> Imported:
        """Store the rows; raise ``BadRows`` with all that stand against what is stored."""
        self.session.flush()
        self._read_school()
        problems = list(self._unknown_classes(rows))
        good = [row for row in rows if row.class_code in self.classes]
        found, refused = self._enrol_strangers(good)
        problems += [
            problem(row, PUPIL_CODE, entered_elsewhere("ngày sinh"), CHECK_CODE)
            for row in good
            if found.get(row.moet_code or "") in refused
        ]
        good = [row for row in good if found.get(row.moet_code or "") not in refused]
        known = self._read_pupils()
        by_code = {code: known[pupil] for code, pupil in found.items() if pupil not in refused}
        claims = [Claim(row, self._blind(row.citizen_number)) for row in good]
        recognised = recognise(claims, list(known.values()), by_code)
        problems += recognised.problems
        pairs = list(zip(claims, recognised.pupils, strict=True))
        problems += self._not_studying(pairs)
        refuse(problems)
        outcomes = [self._settle(claim, pupil) for claim, pupil in pairs]
        self._write()
        return Imported(outcomes.count("new"), outcomes.count("changed"), outcomes.count("unchanged"))

    def _read_school(self) -> None:
        """Read classes, enrolments and last placements of this school year."""
        mine = col(ClassGroup.school_id) == self.school.id, col(ClassGroup.school_year) == self.school_year
        groups = self.session.execute(select(col(ClassGroup.code), col(ClassGroup.id)).where(*mine))
        self.classes = dict(groups.all())
        enrolments = select(Enrolment).where(
            col(Enrolment.school_id) == self.school.id, col(Enrolment.school_year) == self.school_year
        )
        # Of who left and came back the last stay counts.
        in_order = enrolments.order_by(col(Enrolment.started_on))
        self.enrolments = {each.pupil_id: each for each in fresh(self.session, in_order)}
        codes = {key: code for code, key in self.classes.items()}
        placements = select(ClassPlacement).where(
            col(ClassPlacement.school_id) == self.school.id, col(ClassPlacement.class_id).in_(list(codes))
        )
        for each in fresh(self.session, placements.order_by(col(ClassPlacement.valid_from))):
            self.occupied.add(each.class_id)
            if each.id is not None:
                placed = _Placed(each.id, codes[each.class_id], each.valid_from, each.valid_to)
                self.placed[each.enrolment_id] = placed

    def _unknown_classes(self, rows: Sequence[RosterRow]) -> Iterator[RowProblem]:
        for row in rows:
            if row.class_code not in self.classes:
                reason = f"Không có lớp “{row.class_code}” trong năm học {self.school_year}."
                yield problem(row, "Mã lớp", reason, "Sửa mã lớp, hoặc tạo lớp trước khi nhập.")

    def _enrol_strangers(self, rows: Sequence[RosterRow]) -> tuple[dict[str, UUID], set[UUID]]:
        """Return the province's pupils by the codes of these rows; enrol those whom this school has never had.

        The second answer are those who could not be enrolled, since these rows state another birth date.
        """
        codes = [row.moet_code for row in rows if row.moet_code]
        stored = select(col(PupilCode.code), col(PupilCode.pupil_id)).where(
            col(PupilCode.province_id) == self.school.province_id,
            col(PupilCode.kind) == _SECTOR,
            col(PupilCode.code) == any_(literal(codes, ARRAY(Text))),
        )
        found = dict(self.session.execute(stored).all())
        own = select(col(Enrolment.pupil_id)).where(col(Enrolment.school_id) == self.school.id).distinct()
        self.strangers = set(found.values()) - set(self.session.execute(own).scalars())
        by_pupil = {found[row.moet_code]: row for row in rows if row.moet_code in found}
        made = [self._enrolment(pupil, by_pupil[pupil]) for pupil in sorted(self.strangers)]
        refused = self._admit(made)
        self.enrolments |= {each.pupil_id: each for each in made if each.pupil_id not in refused}
        return found, refused

    def _admit(self, made: Sequence[Enrolment]) -> set[UUID]:
        """Write enrolments of strangers; return the pupils whose birth date is not the stated one.

        The stored date is not ours to see before the enrolment, so the database compares; a refusal says no more.
        """
        rows = [each.model_dump() for each in made]
        if not rows or self._let_in(rows):
            return set()
        return {each["pupil_id"] for each in rows if not self._let_in([each])}

    def _let_in(self, rows: list[dict[str, Any]]) -> bool:
        try:
            with self.session.begin_nested():
                self.session.execute(insert(Enrolment), rows)
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != _NOT_KNOWN:
                raise
            return False
        return True

    def _enrolment(self, pupil_id: UUID, row: RosterRow) -> Enrolment:
        return Enrolment(
            school_id=self.school.id,
            pupil_id=pupil_id,
            school_year=self.school_year,
            started_on=self._first_day(row.class_code),
            stated_birth_date=row.birth_date,
        )

    def _first_day(self, class_code: str) -> date:
        """Return when a new pupil begins: with a class that is filled for the first time 1 September, else today."""
        if self.classes[class_code] in self.occupied:
            return self.today
        return min(self.today, date(int(self.school_year[:4]), *_YEAR_STARTS))

    def _read_pupils(self) -> dict[UUID, KnownPupil]:
        """Return all pupils whom the school has or had."""
        own = select(col(Enrolment.pupil_id)).where(col(Enrolment.school_id) == self.school.id)
        codes: dict[UUID, set[str]] = {}
        stored = select(col(PupilCode.pupil_id), col(PupilCode.code)).where(
            col(PupilCode.pupil_id).in_(own), col(PupilCode.kind) == _SECTOR
        )
        for pupil_id, code in self.session.execute(stored):
            codes.setdefault(pupil_id, set()).add(code)
        pupils = fresh(self.session, select(Pupil).where(col(Pupil.id).in_(own)))
        return {each.id: self._known(each, frozenset(codes.get(each.id, ()))) for each in pupils}

    def _known(self, pupil: Pupil, codes: frozenset[str]) -> KnownPupil:
        enrolment = self.enrolments.get(pupil.id)
        placed = self.placed.get(enrolment.id) if enrolment else None
        return KnownPupil(
            id=pupil.id,
            full_name=pupil.full_name,
            birth_date=pupil.birth_date,
            sex=pupil.sex,
            nationality=pupil.nationality,
            citizen_blind=pupil.citizen_blind,
            ours=pupil.entered_by_school_id == self.school.id,
            codes=codes,
            class_code=placed.class_code if placed and placed.valid_to is None else None,
        )

    def _not_studying(self, pairs: Sequence[tuple[Claim, KnownPupil | None]]) -> Iterator[RowProblem]:
        for claim, pupil in pairs:
            enrolment = self.enrolments.get(pupil.id) if pupil else None
            if enrolment and enrolment.state != "studying":
                reason = f"Em này đã được ghi là không còn học trong năm học {self.school_year}."
                remedy = "Xóa dòng này; nếu em đã trở lại, ghi nhập học lại ở trang Nghỉ học trước khi nhập."
                yield problem(claim.row, PUPIL_CODE, reason, remedy)

    def _settle(self, claim: Claim, pupil: KnownPupil | None) -> str:
        """Plan what a row needs; say whether it is new, changed or unchanged."""
        changed = self._correct(claim, pupil) if pupil else False
        pupil_id = pupil.id if pupil else self._enter(claim)
        if claim.row.moet_code and not (pupil and claim.row.moet_code in pupil.codes):
            self._add_code(pupil_id, claim.row.moet_code)
            changed = True
        moved = self._place(pupil_id, claim.row)
        if moved == "new" or pupil_id in self.strangers:
            return "new"
        return "changed" if changed or moved else "unchanged"

    def _enter(self, claim: Claim) -> UUID:
        row, pupil_id = claim.row, new_id()
        self.rows.pupils.append(
            {
                "id": pupil_id,
                "province_id": self.school.province_id,
                "entered_by_school_id": self.school.id,
                "full_name": row.full_name,
                "birth_date": row.birth_date,
                "sex": str(row.sex),
                "nationality": row.nationality,
                "citizen_sealed": self._seal(row.citizen_number),
                "citizen_blind": claim.citizen_blind,
            }
        )
        return pupil_id

    def _correct(self, claim: Claim, pupil: KnownPupil) -> bool:
        """Plan corrections of a pupil whom this school entered; a blank citizen number erases nothing."""
        row = claim.row
        says = (row.full_name, row.birth_date, str(row.sex), row.nationality)
        same = says == (pupil.full_name, pupil.birth_date, pupil.sex, pupil.nationality)
        renumbered = claim.citizen_blind is not None and claim.citizen_blind != pupil.citizen_blind
        if not pupil.ours or (same and not renumbered):
            return False
        columns = ("full_name", "birth_date", "sex", "nationality")
        values: dict[str, Any] = {"id": pupil.id, **dict(zip(columns, says, strict=True))}
        if renumbered:
            values |= {"citizen_sealed": self._seal(row.citizen_number), "citizen_blind": claim.citizen_blind}
        self.rows.corrected.append(values)
        return True

    def _add_code(self, pupil_id: UUID, code: str) -> None:
        self.rows.codes.append(
            {
                "province_id": self.school.province_id,
                "pupil_id": pupil_id,
                "kind": _SECTOR,
                "code": code,
                "valid_from": self.today,
            }
        )

    def _place(self, pupil_id: UUID, row: RosterRow) -> str:
        """Plan enrolment and class: ``new`` with a new enrolment, ``moved`` with another class, else nothing."""
        enrolment, class_code = self.enrolments.get(pupil_id), row.class_code
        if enrolment is None:
            made = self._enrolment(pupil_id, row)
            self.rows.enrolments.append(made.model_dump())
            self._add_placement(made.id, class_code, made.started_on)
            return "new"
        last = self.placed.get(enrolment.id)
        if last is None:
            self._add_placement(enrolment.id, class_code, enrolment.started_on)
            return "moved"
        if last.class_code == class_code and last.valid_to is None:
            return ""
        begins = last.next_day(self.today)
        if last.valid_to is None:
            self.rows.ended.append({"id": last.id, "valid_to": begins - _ONE_DAY})
        self._add_placement(enrolment.id, class_code, begins)
        return "moved"

    def _add_placement(self, enrolment_id: UUID, class_code: str, begins: date) -> None:
        self.rows.placements.append(
            {
                "school_id": self.school.id,
                "enrolment_id": enrolment_id,
                "class_id": self.classes[class_code],
                "valid_from": begins,
            }
        )

    def _write(self) -> None:
        rows = self.rows
        # Codes in one order: two schools that enter the same children at once wait for each other and never deadlock.
        rows.codes.sort(key=lambda each: str(each["code"]))
        inserts: Mapping[type, list[dict[str, Any]]] = {
            Pupil: rows.pupils,
            PupilCode: rows.codes,
            Enrolment: rows.enrolments,
            ClassPlacement: rows.placements,
        }
        for table, values in inserts.items():
            if values:
                self.session.execute(insert(table), values)
        for table, values in ((Pupil, rows.corrected), (ClassPlacement, rows.ended)):
            if values:
                self.session.execute(update(table), values)

    def _blind(self, number: str | None) -> bytes | None:
        return self.vault.blind(number, CITIZEN_CONTEXT) if number else None

    def _seal(self, number: str | None) -> bytes | None:
        return self.vault.seal(number, CITIZEN_CONTEXT) if number else None
