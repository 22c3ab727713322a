"""Pupils of the last grade: what is kept for them, by class, goes to the refund list in one act."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.credits.choosing import class_of_pupils
from billing.credits.reading import Kept, free_credit
from billing.credits.refunding import Wanted, ask_refund
from billing.credits.tables import Refund
from billing.errors import Refused
from billing.fees.grades import Rung, goes_out, oldest_group
from billing.fees.items import Level
from billing.money import Money, total
from billing.payments.still_open import open_bills
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, Pupil, School
from billing.vault import Vault


@dataclass(frozen=True, slots=True)
class Graduate:
    """A pupil of a last grade: what is kept and free to give back, and what is open on bills."""

    pupil_id: UUID
    name: str
    free: Money
    open: Money


@dataclass(frozen=True, slots=True)
class LastClass:
    """A class of a last grade with its pupils for whom something is kept or open."""

    group: ClassGroup
    pupils: tuple[Graduate, ...]

    @property
    def free(self) -> Money:
        """What can be given back in the whole class."""
        return total(each.free for each in self.pupils)


def last_classes(session: Session, school_id: UUID, today: date) -> list[LastClass]:
    """Return the classes of last grades of the newest school year; preschool has its own last grade."""
    members = _members(session, school_id, today)
    pupils = [pupil for _, of_class in members for pupil in of_class]
    free, rests = free_credit(session, school_id, pupils), _open(session, school_id, pupils)
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
    return [
        LastClass(
            group, tuple(_graduate(pupil, names, free, rests) for pupil in _by_name(of_class, names, free, rests))
        )
        for group, of_class in members
    ]


def refund_graduates(  # noqa: PLR0913, PLR0917  of which classes, by whom, why
    session: Session,
    vault: Vault,
    actor: Actor,
    school_id: UUID,
    classes: Collection[UUID],
    reason: str,
    now: datetime,
    today: date,
) -> Refund:
    """Ask for everything that is kept for the pupils of these last classes to be given back, in one request.

    Raises ``Refused`` when no class of a last grade is named, or nobody in them has anything.
    """
    pupils = {
        pupil for group, of_class in _members(session, school_id, today) if group.id in classes for pupil in of_class
    }
    free = free_credit(session, school_id, pupils) if pupils else {}
    if not free:
        raise Refused("Không em nào trong các lớp cuối cấp đã chọn còn tiền để hoàn.")
    wanted = [
        Wanted(pupil, item, free[pupil, item]) for pupil, item in sorted(free, key=lambda key: (key[0], key[1] or ""))
    ]
    return ask_refund(session, vault, actor, school_id, wanted, reason, now)


def _members(session: Session, school_id: UUID, today: date) -> list[tuple[ClassGroup, list[UUID]]]:
    """Return the last classes of the newest year that has pupils, in order, with those whose class it is or was last.

    In June the classes of the next year are made already, and nobody is in them.
    """
    placed = class_of_pupils(session, school_id, today)
    year = max((group.school_year for group in placed.values()), default="")
    query = select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.school_year == year)
    groups = session.exec(query.order_by(col(ClassGroup.level), col(ClassGroup.code))).all()
    levels = frozenset(map(Level, session.get_one(School, school_id).levels))
    oldest = oldest_group(map(Rung.of, groups))
    last = [group for group in groups if goes_out(Level(group.level), group.grade, oldest, levels)]
    return [(group, [pupil for pupil, of in placed.items() if of.id == group.id]) for group in last]


def _open(session: Session, school_id: UUID, pupils: Collection[UUID]) -> dict[UUID, Money]:
    found: dict[UUID, list[Money]] = {}
    for bill in open_bills(session, school_id, pupils):
        found.setdefault(bill.pupil_id, []).append(bill.rest)
    return {pupil: total(each) for pupil, each in found.items()}


def _by_name(pupils: Collection[UUID], names: dict[UUID, str], free: Kept, rests: dict[UUID, Money]) -> list[UUID]:
    with_money = {pupil for pupil, _ in free} | rests.keys()
    return sorted((each for each in pupils if each in with_money), key=lambda each: (sort_key(names[each]), each))


def _graduate(pupil: UUID, names: dict[UUID, str], free: Kept, rests: dict[UUID, Money]) -> Graduate:
    kept = total(amount for (whose, _), amount in free.items() if whose == pupil)
    return Graduate(pupil, names[pupil], kept, rests.get(pupil, total(())))
