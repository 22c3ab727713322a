"""Invented pupils and families (pure, seeded: the same call always makes the same people).

Telephones begin with 050, which no network uses; personal numbers with 099, which no province has; mail ends in
``.example``. No real person can be met by accident.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from billing.people.contact_sheet import Relation
from billing.people.names import search_key
from billing.people.roster import Sex
from service.demo.name_lists import (
    BOY_GIVEN,
    BOY_MIDDLE,
    FAMILY,
    FOREIGN,
    GIRL_GIVEN,
    GIRL_MIDDLE,
    LONG_NAME,
    OTHER_PEOPLES,
    SECOND_FAMILY,
    SIX_WORDS,
)
from service.demo.schools import DemoClass, DemoSchool

_PROVINCE = "Đồng Nai"
_SEED = 20250905
_NUMBER_SPACE = 10_000_000
_NUMBER_STEP = 7_368_787  # odd and no multiple of five: a walk over the whole space without a repeat
_PHONE_STEP = 3_141_593
_CITIZEN_SPACE = 1_000_000
_CITIZEN_STEP = 368_787
_FAMILIES_WITH_ROOM = 300
_MOST_CHILDREN = 3
_SIBLING_GAP_YEARS = 2
_KINH = "Kinh"
_VIET_NAM = "Việt Nam"
_LONG_NAME_AT = 40  # after these, one name that no form was made for
_NAME_SHAPES, _NAME_SHAPE_WEIGHTS = (2, 3, 4, 5, 6), (9, 55, 25, 8, 3)  # words
_FIVE_WORDS = 5
_REACHED_BY = ((True, False), (True, True), (False, True))  # telephone, mail
_REACHED_BY_WEIGHTS = (48, 44, 8)


@dataclass(frozen=True, slots=True)
class MadeContact:
    """A grown-up of a family, the same object in every child's contacts."""

    name: str
    relation: Relation
    phone: str | None
    email: str | None
    notices: bool


@dataclass(frozen=True, slots=True)
class MadePupil:
    """A pupil with all that stands in the sector sheet, also what an import must drop."""

    class_code: str
    moet_code: str
    full_name: str
    birth_date: date
    sex: Sex
    ethnicity: str
    nationality: str
    commune: str
    father_name: str | None
    father_year: int | None
    mother_name: str | None
    mother_year: int | None
    citizen_number: str | None
    contacts: tuple[MadeContact, ...]

    @property
    def province(self) -> str:
        """Return the province, the same for all."""
        return _PROVINCE


@dataclass(slots=True)
class _Family:
    family_name: str
    ethnicity: str
    nationality: str
    commune: str
    father: str | None
    father_year: int
    mother: str | None
    mother_year: int
    contacts: tuple[MadeContact, ...]
    births: list[date] = field(default_factory=list)


def make_people(schools: Iterable[DemoSchool]) -> dict[str, tuple[MadePupil, ...]]:
    """Return the pupils of each school by its code, class by class; families reach across schools."""
    maker = _Maker()
    return {school.code: tuple(maker.school(school)) for school in schools}


class _Maker:
    def __init__(self) -> None:
        self._random = Random(_SEED)  # noqa: S311  invented people, no secret
        self._made = 0
        self._grown_ups = 0
        self._long_name_due = True
        self._with_room: deque[_Family] = deque(maxlen=_FAMILIES_WITH_ROOM)

    def school(self, school: DemoSchool) -> Iterator[MadePupil]:
        """Make the pupils of one school."""
        for group in school.classes:
            names: list[tuple[str, Sex]] = []
            for _ in range(group.size):
                pupil = self._pupil(school, group, names)
                names.append((pupil.full_name, pupil.sex))
                yield pupil

    def _pupil(self, school: DemoSchool, group: DemoClass, names: list[tuple[str, Sex]]) -> MadePupil:
        draw = self._random
        born = self._birth_date(group)
        family = self._family(school, born)
        sex = Sex.MALE if self._chance(510) else Sex.FEMALE
        if names and family.ethnicity == _KINH and self._chance(12):
            name, sex = draw.choice(names)  # a namesake in the class
        else:
            name = self._child_name(family, sex)
        number = self._number()
        return MadePupil(
            class_code=group.code,
            moet_code=f"75{10_000_000 + number}",
            full_name=name,
            birth_date=born,
            sex=sex,
            ethnicity=family.ethnicity,
            nationality=family.nationality,
            commune=family.commune,
            father_name=family.father,
            father_year=family.father_year if family.father else None,
            mother_name=family.mother,
            mother_year=family.mother_year if family.mother else None,
            citizen_number=self._citizen_number(family, born, sex),
            contacts=family.contacts,
        )

    def _number(self) -> int:
        """Return a number of up to seven digits, scattered and never twice."""
        self._made += 1
        return self._made * _NUMBER_STEP % _NUMBER_SPACE

    def _birth_date(self, group: DemoClass) -> date:
        held_back = group.grade > 1 and self._chance(20)
        year = group.birth_year - held_back
        return date(year, 1, 1) + timedelta(days=self._random.randrange(365))

    def _citizen_number(self, family: _Family, born: date, sex: Sex) -> str | None:
        if family.nationality != _VIET_NAM or self._chance(80):
            return None
        number = self._made * _CITIZEN_STEP % _CITIZEN_SPACE
        return f"099{2 + (sex is Sex.FEMALE)}{born.year % 100:02}{number:06}"

    def _family(self, school: DemoSchool, born: date) -> _Family:
        """Return a family with room for a child born then, or a new one."""
        draw = self._random
        if self._with_room and self._chance(160):
            family = draw.choice(self._with_room)
            if len(family.births) < _MOST_CHILDREN and all(
                abs(born.year - other.year) >= _SIBLING_GAP_YEARS for other in family.births
            ):
                family.births.append(born)
                return family
        family = self._new_family(school, born)
        if family.nationality == _VIET_NAM:
            self._with_room.append(family)
        return family

    def _new_family(self, school: DemoSchool, born: date) -> _Family:
        draw = self._random
        ethnicity, nationality = _KINH, _VIET_NAM
        if self._chance(110):
            ethnicity = draw.choice(OTHER_PEOPLES)[0]
        elif self._chance(8):
            nationality = draw.choice(FOREIGN)[0]
        family_name = draw.choice(FAMILY)
        father, mother = self._parents(ethnicity, nationality, family_name)
        return _Family(
            family_name=family_name,
            ethnicity=ethnicity,
            nationality=nationality,
            commune=school.commune,
            father=father,
            father_year=born.year - draw.randrange(23, 42),
            mother=mother,
            mother_year=born.year - draw.randrange(20, 38),
            contacts=self._contacts(family_name, father, mother),
            births=[born],
        )

    def _parents(self, ethnicity: str, nationality: str, family_name: str) -> tuple[str | None, str]:
        draw = self._random
        if self._chance(40):
            return None, f"{draw.choice(FAMILY)} Thị {draw.choice(GIRL_GIVEN)}"
        if ethnicity != _KINH:
            _, men, women = next(people for people in OTHER_PEOPLES if people[0] == ethnicity)
            return draw.choice(men), draw.choice(women)
        mother = f"{draw.choice(FAMILY)} Thị {draw.choice(GIRL_GIVEN)}"
        if nationality != _VIET_NAM:
            return next(boy for land, boy, _ in FOREIGN if land == nationality), mother
        return f"{family_name} {draw.choice(BOY_MIDDLE)} {draw.choice(BOY_GIVEN)}", mother

    def _child_name(self, family: _Family, sex: Sex) -> str:
        draw = self._random
        boy = sex is Sex.MALE
        if family.nationality != _VIET_NAM:
            return next(names[0] if boy else names[1] for land, *names in FOREIGN if land == family.nationality)
        if family.ethnicity != _KINH:
            names = next(people[1 if boy else 2] for people in OTHER_PEOPLES if people[0] == family.ethnicity)
            return draw.choice([name for name in names if name not in (family.father, family.mother)])
        if self._made >= _LONG_NAME_AT and self._long_name_due and not boy:
            self._long_name_due = False
            return LONG_NAME
        middles, givens = (BOY_MIDDLE, BOY_GIVEN) if boy else (GIRL_MIDDLE, GIRL_GIVEN)
        given = draw.choice(givens)
        others = [middle for middle in dict.fromkeys(draw.sample(middles, 6)) if middle != given]
        shape = draw.choices(_NAME_SHAPES, _NAME_SHAPE_WEIGHTS)[0]
        between = others[: shape - 2] if shape < _FIVE_WORDS else others[:2]
        if shape == _FIVE_WORDS:
            between.insert(0, draw.choice(SECOND_FAMILY))
        if shape > _FIVE_WORDS and not boy:
            return " ".join([SIX_WORDS, between[0], given])
        return " ".join([family.family_name, *between, given])

    def _contacts(self, family_name: str, father: str | None, mother: str) -> tuple[MadeContact, ...]:
        """Return who is told what: mostly one parent, sometimes both or a grandmother, for some nobody."""
        draw = self._random
        if self._chance(50):
            return ()
        if self._chance(70):
            name = f"{family_name} Thị {draw.choice(GIRL_GIVEN)}"
            return (self._contact(name, Relation.GRANDMOTHER, notices=True),)
        if self._chance(30):
            name = f"{draw.choice(FAMILY)} Văn {draw.choice(BOY_GIVEN)}"
            return (self._contact(name, Relation.GUARDIAN, notices=True),)
        if father is None or self._chance(480):
            return (self._contact(mother, Relation.MOTHER, notices=True),)
        if self._chance(440):
            return (self._contact(father, Relation.FATHER, notices=True),)
        return (
            self._contact(mother, Relation.MOTHER, notices=True),
            self._contact(father, Relation.FATHER, notices=self._chance(600)),
        )

    def _chance(self, of_a_thousand: int) -> bool:
        return self._random.random() * 1000 < of_a_thousand

    def _contact(self, name: str, relation: Relation, *, notices: bool) -> MadeContact:
        self._grown_ups += 1
        number = self._grown_ups * _PHONE_STEP % _NUMBER_SPACE
        words = search_key(name).replace(" ", "")
        address = f"{words}.{number:07}@phuhuynh.example"
        has_phone, has_mail = self._random.choices(_REACHED_BY, _REACHED_BY_WEIGHTS)[0]
        return MadeContact(
            name, relation, f"8450{number:07}" if has_phone else None, address if has_mail else None, notices
        )
