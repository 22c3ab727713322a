"""A person chooses, item by item, what a pupil who came late is asked for of an earlier round; each with who and when.

All open items of a pupil are chosen at once, since one bill brings what was taken. A choice may be changed until that
bill stands: the last one counts, the earlier ones stay written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.fees.schedule import item_ids, read_schedule
from billing.money import Money
from billing.rounds.billed_already import at_lowered, lowered_prices
from billing.rounds.calculating import billed_pupils, school_of
from billing.rounds.catching_up import Latecomer, charge_late, choices_of, last_choices, latecomers
from billing.rounds.drafting import find_round, period_of, person
from billing.rounds.issuing import wait_for_issues
from billing.rounds.tables import ISSUED_STATES, LATE_CHOICES, LateChoice


@dataclass(frozen=True, slots=True)
class LateItem:
    """An item that may be asked for: what the family would pay, and what was last chosen (empty: nothing yet)."""

    code: str
    name: str
    amount: Money
    kind: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LatePupil:
    """A pupil who came when the round was over, with its open items."""

    pupil_id: UUID
    enrolment_id: UUID
    class_name: str
    items: tuple[LateItem, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of an item: *take*, *take_again* (paid at another school, and asked for all the same), *leave*."""

    kind: str
    reason: str = ""

    def wrong(self) -> str | None:
        """Return what is wrong with it, in words."""
        if self.kind not in LATE_CHOICES:
            return "chưa chọn thu hay không thu"
        if self.kind != "take" and not self.reason.strip():
            return "phải ghi lý do" if self.kind == "leave" else "đã nộp ở trường khác mà vẫn thu thì phải ghi lý do"
        return None


def late_pupils(session: Session, base_round_id: UUID) -> tuple[LatePupil, ...]:
    """Return who came after an issued regular round and is not billed for it, with the items to choose.

    Empty for any other round, and for who has no item left.
    """
    base = find_round(session, base_round_id)
    if base.kind != "regular" or base.state not in ISSUED_STATES:
        return ()
    period, school = period_of(base), school_of(session, base)
    schedule = read_schedule(session, school, period.days)
    schedule = at_lowered(schedule, lowered_prices(session, school.id, base.id))
    _, found = latecomers(session, base, schedule, billed_pupils(session, base.school_id, base.id))
    if not found:
        return ()
    chosen = last_choices(session, base.school_id, base.id)

    def shown(each: Latecomer) -> LatePupil:
        lines = charge_late(each.pupil, period, schedule, each.prices).lines
        last = choices_of(each.pupil, chosen)
        items = (
            LateItem(
                line.item.code, line.item.name, line.family_share, row.kind if row else "", row.reason if row else ""
            )
            for line in lines
            for row in (last.get(line.item.code),)
        )
        return LatePupil(each.pupil.facts.pupil_id, each.pupil.enrolment_id, each.pupil.facts.class_name, tuple(items))

    return tuple(shown(each) for each in found)


def choose_late(  # noqa: PLR0913, PLR0917  who chooses what for whom, when
    session: Session,
    actor: Actor,
    base_round_id: UUID,
    enrolment_id: UUID,
    choices: Mapping[str, Choice],
    now: datetime,
) -> None:
    """Write down what becomes of each open item (by code) of a pupil who came late.

    Raises ``NotFound`` for a pupil with nothing to choose, ``Refused`` when an item is left out, is not offered, or
    lacks its reason, ``Conflict`` when the round is not issued.
    """
    base = find_round(session, base_round_id)
    if base.kind != "regular" or base.state not in ISSUED_STATES:
        raise Conflict("Chỉ đợt thu thường đã phát hành mới có thu bù.", state=base.state)
    wait_for_issues(session, base.school_id)
    pupil = next((each for each in late_pupils(session, base.id) if each.enrolment_id == enrolment_id), None)
    if pupil is None:
        raise NotFound(
            "Em này không có khoản nào để thu bù trong đợt này, hoặc đã có thông báo rồi.", enrolment=enrolment_id
        )
    _refuse_wrong(pupil, choices)
    ids = item_ids(session, base.school_id)
    session.add_all(
        LateChoice(
            school_id=base.school_id,
            round_id=base.id,
            enrolment_id=enrolment_id,
            item_id=ids[code],
            kind=choice.kind,
            reason=choice.reason.strip(),
            made_by=person(actor),
            at=now,
        )
        for code, choice in sorted(choices.items())
    )
    session.flush()
    deed = Deed(base.school_id, "round.late_choice", "enrolment", str(enrolment_id))
    record_deed(
        session, actor, deed, now, round=str(base.id), items={code: each.kind for code, each in choices.items()}
    )


def _refuse_wrong(pupil: LatePupil, choices: Mapping[str, Choice]) -> None:
    offered = {item.code: item.name for item in pupil.items}
    unknown = sorted(choices.keys() - offered.keys())
    if unknown:
        raise Refused(f"Khoản {', '.join(unknown)} không được thu bù cho em này. Hãy mở lại trang rồi chọn.")
    for code, name in offered.items():
        wrong = choices.get(code, Choice("")).wrong()
        if wrong:
            raise Refused(f"{name}: {wrong}.", item=code)


def waits(pupils: tuple[LatePupil, ...]) -> int:
    """Return how many of the pupils have an item that nobody chose about."""
    return sum(any(not item.kind for item in each.items) for each in pupils)
