"""A contact sheet becomes guardians, what each may be told, and sealed ways to reach them.

A guardian is known again by name: for the same child, or by a telephone number or address that this school stored.
Never by a contact of another school (docs/decisions/0003), and never two names of one number as one person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, func, insert, literal, select, update
from sqlmodel import Session, col

from billing.errors import RowProblem
from billing.people.contact_sheet import ContactRow
from billing.people.imported import PUPIL_CODE, Imported, name_key, problem, refuse, where
from billing.people.reading import fresh
from billing.people.tables import Contact, Enrolment, Guardian, Guardianship, Pupil, PupilCode, School
from billing.storage import new_id
from billing.vault import Vault

_WHO = "Họ tên người liên hệ"
_ONE_DAY = timedelta(days=1)

Way = tuple[str, bytes]
"""A way to reach somebody: ``phone`` or ``email``, and its blind index."""


@dataclass(slots=True)
class _Person:
    """A guardian, stored or about to be: the ways that are open, and those that this sheet names."""

    id: UUID
    name: str
    stored: bool
    live: dict[Way, int] = field(default_factory=dict)  # with the key of the contact
    wanted: dict[Way, str] = field(default_factory=dict)  # with the number or address
    said: str | None = None  # the spelling in this sheet

    @property
    def key(self) -> str:
        return name_key(self.said or self.name)

    def reached_by(self, ways: Sequence[Way]) -> bool:
        return any(way in self.live or way in self.wanted for way in ways)


@dataclass(slots=True)
class _Line:
    """A row with its pupil, its ways, and the person and guardianship it was found to be."""

    row: ContactRow
    pupil_id: UUID
    ways: dict[Way, str]
    person: _Person | None = None
    guardianship: Guardianship | None = None

    @property
    def key(self) -> str:
        return name_key(self.row.guardian_name)


@dataclass(slots=True)
class Reaching:
    """One contact sheet on its way into one school."""

    session: Session
    vault: Vault
    school: School
    today: date
    people: dict[UUID, _Person] = field(default_factory=dict)
    guardianships: dict[UUID, list[Guardianship]] = field(default_factory=lambda: defaultdict(list))  # by pupil
    by_way: dict[Way, list[_Person]] = field(default_factory=lambda: defaultdict(list))
    starts: dict[UUID, date] = field(default_factory=dict)  # first day of each pupil at the school
    taken: set[tuple[UUID, UUID]] = field(default_factory=set)  # guardian and pupil, by a row of this sheet

    def take(self, rows: Sequence[ContactRow]) -> Imported:
        """Store the rows; raise ``BadRows`` with all that stand against what is stored."""
        self.session.flush()
        pupils = self._read_pupils(rows)
        refuse([*_unknown(rows, pupils), *_doubles(rows), *self._gone(rows, pupils)])
        lines = [_Line(row, pupils[row.pupil_code], self._ways(row)) for row in rows]
        self._read_people()
        self._find(lines)
        refuse(self._ended(lines))
        return self._write(lines)

    def _read_pupils(self, rows: Sequence[ContactRow]) -> dict[str, UUID]:
        """Return the school's pupils by the codes of these rows."""
        codes = [row.pupil_code for row in rows]
        stored = (
            select(col(PupilCode.code), col(PupilCode.pupil_id), col(Enrolment.started_on))
            .join(Enrolment, col(Enrolment.pupil_id) == col(PupilCode.pupil_id))
            .where(
                col(Enrolment.school_id) == self.school.id,
                col(PupilCode.province_id) == self.school.province_id,
                col(PupilCode.kind) == "moet",
                col(PupilCode.code) == any_(literal(codes, ARRAY(Text))),
            )
        )
        found = {}
        for code, pupil_id, started_on in self.session.execute(stored):
            found[code] = pupil_id
            self.starts[pupil_id] = min(started_on, self.starts.get(pupil_id, started_on))
        return found

    def _gone(self, rows: Sequence[ContactRow], pupils: dict[str, UUID]) -> Iterator[RowProblem]:
        """Name the rows of children who left this school for another: who is told is that school's business now."""
        here = select(col(Enrolment.pupil_id)).where(
            col(Enrolment.school_id) == self.school.id, col(Enrolment.state) == "studying"
        )
        left = set(pupils.values()) - set(self.session.execute(here).scalars())
        gone = select(col(Pupil.id)).where(col(Pupil.id).in_(left), func.pupil_studies_elsewhere(col(Pupil.id)))
        elsewhere = set(self.session.execute(gone).scalars()) if left else set()
        for row in rows:
            if pupils.get(row.pupil_code) in elsewhere:
                reason = "Em này đã chuyển đi và nay học ở trường khác."
                yield problem(row, PUPIL_CODE, reason, "Xóa dòng này: liên hệ của em do trường mới ghi.")

    def _ways(self, row: ContactRow) -> dict[Way, str]:
        given = {"phone": row.phone, "email": row.email}
        return {(kind, self.vault.blind(text, f"contacts.{kind}")): text for kind, text in given.items() if text}

    def _read_people(self) -> None:
        """Read the guardians whom this school entered, their open ways and their children."""
        own = select(col(Guardian.id)).where(col(Guardian.entered_by_school_id) == self.school.id)
        guardians = (
            select(Guardian).where(col(Guardian.entered_by_school_id) == self.school.id).order_by(col(Guardian.id))
        )
        for guardian in fresh(self.session, guardians):
            self.people[guardian.id] = _Person(guardian.id, guardian.full_name, stored=True)
        columns = col(Contact.guardian_id), col(Contact.kind), col(Contact.blind), col(Contact.id)
        live = select(*columns).where(col(Contact.guardian_id).in_(own), col(Contact.valid_to).is_(None))
        for guardian_id, kind, blind, key in self.session.execute(live.order_by(col(Contact.id))):
            if key is not None:
                self.people[guardian_id].live[kind, blind] = key
                self.by_way[kind, blind].append(self.people[guardian_id])
        ties = select(Guardianship).where(
            col(Guardianship.guardian_id).in_(own), col(Guardianship.pupil_id).in_(list(self.starts))
        )
        for tie in fresh(self.session, ties.order_by(col(Guardianship.id))):
            self.guardianships[tie.pupil_id].append(tie)

    def _find(self, lines: Sequence[_Line]) -> None:
        """Find each row's person, the surest signs first; who is not found is entered."""
        for line in lines:
            self._tie(line, (tie for tie in self._ties(line) if tie.relation == line.row.relation))
        for line in lines:
            self._tie(line, self._ties(line))
        for line in lines:
            self._tie(line, self._renamed(line))
        for line in lines:
            if line.person is None:
                self._accept(line, self._reached(line) or self._new(line), None)
        for line in reversed(lines):  # of several spellings the first in the sheet holds
            _found(line).said = line.row.guardian_name

    def _ties(self, line: _Line) -> Iterator[Guardianship]:
        """Give the pupil's guardians of this name."""
        for tie in self.guardianships.get(line.pupil_id, ()):
            if self.people[tie.guardian_id].key == line.key:
                yield tie

    def _renamed(self, line: _Line) -> Iterator[Guardianship]:
        """Give the pupil's guardians of this relation and number whom no row names: the name was corrected."""
        for tie in self.guardianships.get(line.pupil_id, ()):
            person = self.people[tie.guardian_id]
            if tie.relation == line.row.relation and person.reached_by(list(line.ways)) and person.said is None:
                yield tie

    def _tie(self, line: _Line, ties: Iterator[Guardianship]) -> None:
        if line.person is not None:
            return
        for tie in ties:
            if (tie.guardian_id, line.pupil_id) not in self.taken:
                self._accept(line, self.people[tie.guardian_id], tie)
                return

    def _reached(self, line: _Line) -> _Person | None:
        """Return the school's guardian of this name and number: the parent of a brother or sister."""
        for way in line.ways:
            for person in self.by_way[way]:
                if person.key == line.key and (person.id, line.pupil_id) not in self.taken:
                    return person
        return None

    def _new(self, line: _Line) -> _Person:
        person = _Person(new_id(), line.row.guardian_name, stored=False)
        self.people[person.id] = person
        return person

    def _accept(self, line: _Line, person: _Person, tie: Guardianship | None) -> None:
        line.person = person
        line.guardianship = tie or next(
            (each for each in self.guardianships.get(line.pupil_id, ()) if each.guardian_id == person.id), None
        )
        person.said = person.said or line.row.guardian_name
        person.wanted |= line.ways
        for way in line.ways:
            if person not in self.by_way[way]:
                self.by_way[way].append(person)
        self.taken.add((person.id, line.pupil_id))

    def _ended(self, lines: Sequence[_Line]) -> Iterator[RowProblem]:
        for line in lines:
            tie = line.guardianship
            if tie and tie.valid_to and tie.valid_to < self.today:
                reason = f"Người này đã thôi là người liên hệ của em từ {tie.valid_to:%d/%m/%Y}."
                yield problem(
                    line.row, _WHO, reason, "Xóa dòng này, hoặc mở lại liên hệ ở trang học sinh trước khi nhập."
                )

    def _write(self, lines: Sequence[_Line]) -> Imported:
        touched = self._write_people()
        made: list[dict[str, Any]] = []
        altered: list[dict[str, Any]] = []
        count = {"new": 0, "changed": 0, "unchanged": 0}
        for line in lines:
            person, tie = _found(line), line.guardianship
            if tie is None:
                made.append(self._guardianship(line, person))
                count["new"] += 1
                continue
            differs = (tie.relation, tie.receives_notices) != (line.row.relation, line.row.notices)
            if differs:
                altered.append({"id": tie.id, "relation": str(line.row.relation), "receives_notices": line.row.notices})
            count["changed" if differs or person.id in touched else "unchanged"] += 1
        if made:
            self.session.execute(insert(Guardianship), made)
        if altered:
            self.session.execute(update(Guardianship), altered)
        self._write_contacts()
        return Imported(**count)

    def _guardianship(self, line: _Line, person: _Person) -> dict[str, Any]:
        """Return a new guardianship; the first ones of a pupil hold since the child came: older months count."""
        first = not self.guardianships.get(line.pupil_id)
        return {
            "guardian_id": person.id,
            "pupil_id": line.pupil_id,
            "relation": str(line.row.relation),
            "receives_notices": line.row.notices,
            "may_see_bills": True,
            "valid_from": min(self.today, self.starts[line.pupil_id]) if first else self.today,
        }

    def _write_people(self) -> set[UUID]:
        """Write names; return the guardians about whom anything changes."""
        named = [person for person in self.people.values() if person.said is not None]
        new = [person for person in named if not person.stored]
        renamed = [person for person in named if person.stored and person.said != person.name]
        if new:
            fixed = {"province_id": self.school.province_id, "entered_by_school_id": self.school.id, "language": "vi"}
            self.session.execute(insert(Guardian), [{"id": each.id, "full_name": each.said, **fixed} for each in new])
        if renamed:
            self.session.execute(update(Guardian), [{"id": each.id, "full_name": each.said} for each in renamed])
        others = {person.id for person in named if person.wanted.keys() - person.live.keys() or _outdated(person)}
        return others | {person.id for person in renamed}

    def _write_contacts(self) -> None:
        """Close ways that gave way to others of their kind, open the others. A blank cell closes nothing."""
        closed = [key for person in self.people.values() for key in _outdated(person)]
        if closed:
            ends = {"valid_to": self.today - _ONE_DAY}
            self.session.execute(update(Contact), [{"id": key, **ends} for key in closed])
        opened = [
            {
                "guardian_id": person.id,
                "kind": kind,
                "sealed": self.vault.seal(text, f"contacts.{kind}"),
                "blind": blind,
                "masked": masked_contact(kind, text),
                "valid_from": self.today,
            }
            for person in self.people.values()
            for (kind, blind), text in person.wanted.items()
            if (kind, blind) not in person.live
        ]
        if opened:
            self.session.execute(insert(Contact), opened)


def masked_contact(kind: str, text: str) -> str:
    """Return what a screen shows of a number (``84…``) or address: ``09•• ••• 123``, ``n•••@mail.vn``."""
    if kind == "phone":
        return f"0{text[2]}•• ••• {text[-3:]}"
    name, _, domain = text.partition("@")
    return f"{name[0]}•••@{domain}"


def _unknown(rows: Sequence[ContactRow], pupils: dict[str, UUID]) -> Iterator[RowProblem]:
    for row in rows:
        if row.pupil_code not in pupils:
            reason = f"Không có học sinh mã “{row.pupil_code}” trong trường."
            yield problem(row, PUPIL_CODE, reason, "Sửa mã, hoặc nhập danh sách học sinh trước.")


def _doubles(rows: Sequence[ContactRow]) -> Iterator[RowProblem]:
    seen: dict[tuple[str, str, str], ContactRow] = {}
    for row in rows:
        key = row.pupil_code, name_key(row.guardian_name), str(row.relation)
        if (first := seen.setdefault(key, row)) is not row:
            reason = f"Người này đã có cho học sinh này ở {where(first)}."
            yield problem(row, _WHO, reason, "Xóa một trong hai dòng.")


def _outdated(person: _Person) -> list[int]:
    kinds = {kind for kind, _ in person.wanted}
    return [key for (kind, blind), key in person.live.items() if kind in kinds and (kind, blind) not in person.wanted]


def _found(line: _Line) -> _Person:
    if line.person is None:
        raise ValueError("every line has its person by now")
    return line.person
