"""Which pupil of the school a roster's row is (pure): by sector code, citizen number, or name, birth date and class.

A row that could be two pupils, or a code that belongs to somebody else, is a fault for the office; nothing is guessed
between namesakes. Whatever a list made is recognised by the same list again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from billing.errors import RowProblem
from billing.people.imported import PUPIL_CODE, name_key, problem, where
from billing.people.roster import RosterRow

_NAME = "Họ tên"
_CITIZEN = "Số ĐDCN"
_ONE_LINE = "Mỗi học sinh chỉ một dòng: xóa dòng trùng hoặc sửa lại mã."
CHECK_CODE = "Kiểm tra mã; nếu mã đúng, ghi họ tên và ngày sinh như trên cơ sở dữ liệu ngành."


@dataclass(frozen=True, slots=True)
class KnownPupil:
    """A stored pupil of the school; ``class_code`` is the class of this school year, ``ours`` who entered it."""

    id: UUID
    full_name: str
    birth_date: date
    sex: str
    nationality: str
    citizen_blind: bytes | None
    ours: bool
    codes: frozenset[str] = frozenset()
    class_code: str | None = None

    @property
    def who(self) -> tuple[str, date]:
        """Name and birth date as compared."""
        return name_key(self.full_name), self.birth_date


@dataclass(frozen=True, slots=True)
class Claim:
    """A row with its citizen number as a blind index, so that it can be compared with what is stored."""

    row: RosterRow
    citizen_blind: bytes | None

    @property
    def who(self) -> tuple[str, date]:
        """Name and birth date as compared."""
        return name_key(self.row.full_name), self.row.birth_date

    def may_be(self, pupil: KnownPupil) -> bool:
        """Say whether no number stands against this being the pupil."""
        other_code = self.row.moet_code and pupil.codes and self.row.moet_code not in pupil.codes
        other_citizen = self.citizen_blind and pupil.citizen_blind and self.citizen_blind != pupil.citizen_blind
        return not (other_code or other_citizen)


@dataclass(slots=True)
class Recognised:
    """The pupil of each row (None: a new one), in the order of the rows, and all faults."""

    pupils: list[KnownPupil | None]
    problems: list[RowProblem] = field(default_factory=list)


@dataclass(slots=True)
class _Search:
    claims: Sequence[Claim]
    known: Sequence[KnownPupil]
    found: dict[int, KnownPupil] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=dict)
    faulty: set[int] = field(default_factory=set)
    problems: list[RowProblem] = field(default_factory=list)

    def open(self) -> Iterator[tuple[int, Claim]]:
        """Give the rows that are neither recognised nor faulty."""
        for place, claim in enumerate(self.claims):
            if place not in self.found and place not in self.faulty:
                yield place, claim

    def fault(self, place: int, column: str, reason: str, remedy: str) -> None:
        self.faulty.add(place)
        self.problems.append(problem(self.claims[place].row, column, reason, remedy))

    def take(self, place: int, pupil: KnownPupil, column: str) -> None:
        """Say that a row is a pupil, if no other row is and it is no other child."""
        first = self.taken.setdefault(pupil.id, place)
        claim = self.claims[place]
        if first != place:
            said = f"Dòng này và {where(self.claims[first].row)} là cùng một học sinh."
            self.fault(place, column, said, _ONE_LINE)
        elif reason := _another_child(claim, pupil):
            self.fault(place, column, reason, CHECK_CODE)
        else:
            self.found[place] = pupil


def recognise(claims: Sequence[Claim], known: Sequence[KnownPupil], by_code: Mapping[str, KnownPupil]) -> Recognised:
    """Say which pupil each row is. ``by_code``: the pupils whom the province knows by the codes of these rows."""
    search = _Search(claims, known)
    _refuse_doubles(search)
    _by_code(search, by_code)
    _by_citizen_number(search)
    _by_name(search)
    return Recognised([search.found.get(place) for place in range(len(claims))], search.problems)


def _refuse_doubles(search: _Search) -> None:
    codes: dict[str, Claim] = {}
    citizens: dict[bytes, Claim] = {}
    for place, claim in list(search.open()):
        code, citizen = claim.row.moet_code, claim.citizen_blind
        if code and (first := codes.setdefault(code, claim)) is not claim:
            search.fault(place, PUPIL_CODE, f"Mã “{code}” đã có ở {where(first.row)}.", _ONE_LINE)
        if citizen and (first := citizens.setdefault(citizen, claim)) is not claim:
            search.fault(place, _CITIZEN, f"Số định danh này đã có ở {where(first.row)}.", _ONE_LINE)


def _by_code(search: _Search, by_code: Mapping[str, KnownPupil]) -> None:
    for place, claim in list(search.open()):
        if claim.row.moet_code and (pupil := by_code.get(claim.row.moet_code)):
            search.take(place, pupil, PUPIL_CODE)


def _by_citizen_number(search: _Search) -> None:
    owners = {pupil.citizen_blind: pupil for pupil in search.known if pupil.citizen_blind}
    for place, claim in enumerate(search.claims):
        owner = owners.get(claim.citizen_blind or b"")
        if owner is None or place in search.faulty or search.found.get(place) is owner:
            continue
        if place in search.found or (claim.row.moet_code and owner.codes):
            reason = "Số định danh này đang ghi cho một học sinh khác của trường, có mã khác."
            search.fault(place, _CITIZEN, reason, "Kiểm tra lại số định danh và mã của hai em.")
            search.found.pop(place, None)
        else:
            search.take(place, owner, _CITIZEN)


def _by_name(search: _Search) -> None:
    """Recognise what is left within its namesakes of one birth date: first in the same class, then elsewhere."""
    namesakes: dict[tuple[str, date], list[KnownPupil]] = defaultdict(list)
    for pupil in search.known:
        namesakes[pupil.who].append(pupil)
    left: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place, claim in search.open():
        left[claim.who].append(place)
    for who, places in left.items():
        by_class: dict[str, list[int]] = defaultdict(list)
        for place in places:
            by_class[search.claims[place].row.class_code].append(place)
        for class_code, same in by_class.items():
            _in_class(search, same, [each for each in namesakes[who] if each.class_code == class_code])
        moved = [place for place in places if place not in search.found and place not in search.faulty]
        _elsewhere(search, moved, namesakes[who])


def _in_class(search: _Search, places: Sequence[int], pupils: Sequence[KnownPupil]) -> None:
    free = [pupil for pupil in pupils if pupil.id not in search.taken]
    unnumbered = [place for place in places if not _numbered(search.claims[place])]
    if len(unnumbered) > 1 or (free and len(places) > 1) or (len(free) > 1):
        for place in places if free else unnumbered:
            reason = "Trong lớp có hai em trùng họ tên và ngày sinh, chưa phân biệt được."
            search.fault(place, _NAME, reason, "Ghi mã định danh Bộ GD&ĐT (hoặc số ĐDCN) của từng em.")
    elif free and search.claims[places[0]].may_be(free[0]):
        search.take(places[0], free[0], _NAME)
    elif free:
        reason = "Em cùng họ tên, ngày sinh đã có trong lớp với mã hoặc số định danh khác."
        remedy = "Nếu là hai em, ghi cả hai dòng với mã của từng em; nếu là một em, ghi mã đã lưu trước đây."
        search.fault(places[0], _NAME, reason, remedy)


def _elsewhere(search: _Search, places: Sequence[int], pupils: Sequence[KnownPupil]) -> None:
    """Take a single namesake left in another class as this child, who changed class; several are a fault."""
    free = [pupil for pupil in pupils if pupil.id not in search.taken]
    for place in places:
        fitting = [pupil for pupil in free if search.claims[place].may_be(pupil)]
        if not fitting:
            continue
        if len(places) == 1 and len(fitting) == 1:
            search.take(place, fitting[0], _NAME)
        else:
            reason = "Trường có nhiều em trùng họ tên và ngày sinh, chưa biết em nào chuyển lớp."
            search.fault(place, _NAME, reason, "Ghi mã định danh Bộ GD&ĐT (hoặc số ĐDCN) của từng em.")


def _numbered(claim: Claim) -> bool:
    return bool(claim.row.moet_code or claim.citizen_blind)


def _another_child(claim: Claim, pupil: KnownPupil) -> str | None:
    """Return why a row is not the pupil its number says; stored values of another school are not told."""
    name, born = claim.who
    same_name, same_birth = name == pupil.who[0], born == pupil.birth_date
    if pupil.ours:
        if same_name or same_birth:
            return None
        return f"Số hoặc mã này là của “{pupil.full_name}”, sinh {pupil.birth_date:%d/%m/%Y}."
    if same_name and same_birth and claim.may_be(pupil):
        return None
    what = "họ tên" if not same_name else "ngày sinh" if not same_birth else "số định danh"
    return entered_elsewhere(what)


def entered_elsewhere(what: str) -> str:
    """Return why a row is not the child that its code says, naming what differs and never the stored value."""
    return f"Mã này đã có trong tỉnh, do trường khác nhập, với {what} khác."
