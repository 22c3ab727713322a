"""Schools, families and payment requests of the accuracy run, made from a seed.

Every name is put together by chance. Each pupil has two open requests and a closed one; some pupils have a
brother or sister, at the same school or at another; some open requests have a *twin*: another pupil's, of the same
school and sum, whose reference differs in three characters only, the fewest that two references can differ in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from benchmarks.reference_memos import WORDS
from billing.money import Money
from billing.payments.reference import ALPHABET, DATA_LENGTH, PREFIX, make, reference_for
from reconciliation.matching import OpenRequest, RequestStatus
from reconciliation.weak_signs import Person

SCHOOLS = 8
KEY = b"key of the accuracy run"
FIRST_DAY = datetime(2025, 9, 8, tzinfo=UTC)
DAYS = 30
WITH_SIBLING = 0.15
AT_ANOTHER_SCHOOL = 0.25
WITH_TWIN = 0.02
OPEN_EACH = 2
KNOWN_PAYER_ONE_IN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilFacts:
    """What a family knows of its child and may write into a memo."""

    id: str
    name: str
    class_code: str
    school: str
    family: str
    phone: str
    payer_account: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and the moment its family was shown it (UTC)."""

    request: OpenRequest
    at: datetime


@dataclass(frozen=True, slots=True)
class World:
    """Everything the transfers are made from. ``twins`` are pairs of open requests, ``siblings`` pairs of pupils."""

    pupils: Sequence[PupilFacts]
    open: dict[str, list[Asked]]
    closed: dict[str, Asked]
    twins: Sequence[tuple[Asked, Asked]]
    siblings: Sequence[tuple[PupilFacts, PupilFacts]]
    by_id: dict[str, PupilFacts]

    @property
    def requests(self) -> list[Asked]:
        """Return all requests, open ones of a pupil oldest first, then the closed one."""
        return [asked for pupil in self.pupils for asked in (*self.open[pupil.id], self.closed[pupil.id])]

    @property
    def people(self) -> list[Person]:
        """Return what a school knows of its pupils: names, classes, phones, and a third of the paying accounts."""
        return [
            Person(
                pupil=pupil.id,
                name=pupil.name,
                class_code=pupil.class_code,
                phones=frozenset({"84" + pupil.phone[1:]}),
                payers=frozenset({pupil.payer_account} if int(pupil.family[1:]) % KNOWN_PAYER_ONE_IN == 0 else ()),
            )
            for pupil in self.pupils
        ]


def account_of(school: str) -> str:
    """Return the collecting account of a school: ten digits."""
    return f"11{int(school):08d}"


def build(pupils: int, random: Random) -> World:
    """Make a world of so many pupils."""
    people = _people(pupils, random)
    maker = _Requests(random)
    opened = {pupil.id: [maker.open(pupil) for _ in range(OPEN_EACH)] for pupil in people}
    closed = {pupil.id: maker.closed(pupil, opened[pupil.id][0]) for pupil in people}
    twins = _with_twins(people, opened, maker, random)
    return World(people, opened, closed, twins, _siblings(people), {pupil.id: pupil for pupil in people})


def _people(count: int, random: Random) -> list[PupilFacts]:
    people: list[PupilFacts] = []
    while len(people) < count:
        last = people[-1] if people else None
        younger = last and len(_family(people, last.family)) == 1 and random.random() < WITH_SIBLING
        people.append(_pupil(len(people), last if younger else None, random))
    return people


def _family(people: Sequence[PupilFacts], family: str) -> list[PupilFacts]:
    return [pupil for pupil in people[-2:] if pupil.family == family]


def _pupil(number: int, elder: PupilFacts | None, random: Random) -> PupilFacts:
    school = random.randrange(SCHOOLS)
    if elder and random.random() > AT_ANOTHER_SCHOOL:
        school = int(elder.school)
    surname = elder.name.split()[0] if elder else random.choice(WORDS["family"]).title()
    return PupilFacts(
        id=f"p{number}",
        name=f"{surname} {random.choice(WORDS['middle']).title()} {random.choice(WORDS['given'])}",
        class_code=f"{random.randint(1, 9)}{random.choice('ABCD')}",
        school=str(school),
        family=elder.family if elder else f"f{number}",
        phone=elder.phone if elder else f"09{number:08d}",
        payer_account=elder.payer_account if elder else f"19{number:011d}",
    )


def _siblings(people: Sequence[PupilFacts]) -> list[tuple[PupilFacts, PupilFacts]]:
    families = defaultdict(list)
    for pupil in people:
        families[pupil.family].append(pupil)
    return [(family[0], family[1]) for family in families.values() if len(family) > 1]


class _Requests:
    """Makes requests with references as the product does: a keyed shuffle of a sequence, no two alike."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0
        self.issued: set[str] = set()

    def open(self, pupil: PupilFacts) -> Asked:
        """Make an open request: tuition by grade, and so many days of meals."""
        due = 60_000 * int(pupil.class_code[0]) + 32_000 * self._random.randint(14, 22)
        return self._asked(pupil, Money(due), RequestStatus.OPEN, self._next())

    def closed(self, pupil: PupilFacts, first: Asked) -> Asked:
        """Make a paid or void one; half of them were of the sum of the pupil's first open request."""
        status = self._random.choice([RequestStatus.PAID, RequestStatus.VOID])
        due = first.request.due if self._random.random() < 0.5 else Money(450_000)  # noqa: PLR2004  half of them
        return self._asked(pupil, due, status, self._next())

    def twin_of(self, asked: Asked, pupil: PupilFacts) -> Asked | None:
        """Make an open request of the same sum, three characters away; none when that code is taken."""
        data = asked.request.reference[len(PREFIX) : len(PREFIX) + DATA_LENGTH]
        place = self._random.randrange(DATA_LENGTH)
        letter = self._random.choice(ALPHABET.replace(data[place], ""))
        code = make(data[:place] + letter + data[place + 1 :])
        if code in self.issued:
            return None
        return self._asked(pupil, asked.request.due, RequestStatus.OPEN, code)

    def _next(self) -> str:
        self._number += 1
        return reference_for(self._number, KEY)

    def _asked(self, pupil: PupilFacts, due: Money, status: RequestStatus, reference: str) -> Asked:
        self.issued.add(reference)
        request = OpenRequest(
            reference=reference,
            pupil=pupil.id,
            family=pupil.family,
            school=pupil.school,
            account=account_of(pupil.school),
            due=due,
            status=status,
            key=reference,
        )
        return Asked(request, FIRST_DAY + timedelta(minutes=self._random.randrange(DAYS * 24 * 60)))


def _with_twins(
    people: Sequence[PupilFacts], opened: dict[str, list[Asked]], maker: _Requests, random: Random
) -> list[tuple[Asked, Asked]]:
    """Replace the second request of some pupils by the twin of another pupil's first one at the same school."""
    twins = []
    classmates: dict[str, list[PupilFacts]] = defaultdict(list)
    for pupil in people:
        classmates[pupil.school].append(pupil)
    for group in classmates.values():
        chosen = random.sample(group, k=2 * max(1, int(len(group) * WITH_TWIN / 2)))
        for one, other in zip(chosen[::2], chosen[1::2], strict=True):
            twin = maker.twin_of(opened[one.id][0], other)
            if twin and one.family != other.family:
                opened[other.id][1] = twin
                twins.append((opened[one.id][0], twin))
    return twins
