"""A school with an open item, and guardians who proved their contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.choices.choosing import Chooser, Seen, choose, stop
from billing.choices.offering import NewOffer, open_offer
from billing.choices.reading import PupilChoices, pupil_choices
from billing.choices.tables import ChoiceOffer, FamilyChoice
from billing.fees.tables import FeeItem, OptIn
from billing.people.tables import Contact, Guardianship
from billing.plans.rules import local_day
from tests.factories.rounds import BillingSchool
from tests.factories.schools import Enrolled

NOW = datetime(2025, 10, 6, 3, tzinfo=UTC)
NOVEMBER = date(2025, 11, 1)
DEADLINE = date(2025, 10, 20)
GUARDIAN = Actor(None, "guardian")


@dataclass
class Family:
    """A guardian's proved contact, on the page of one child."""

    session: Session
    billing: BillingSchool
    child: Enrolled
    number: int = 0

    @property
    def chooser(self) -> Chooser:
        rows = self.session.exec(
            select(Contact)
            .join(Guardianship, col(Guardianship.guardian_id) == col(Contact.guardian_id))
            .where(Guardianship.pupil_id == self.child.id)
            .order_by(col(Contact.id))
        ).all()
        contact = rows[self.number]
        return Chooser(self.child.id, (contact.guardian_id,), contact.kind, contact.blind, bytes(32))

    def sees(self, now: datetime = NOW) -> PupilChoices:
        return pupil_choices(self.session, self.billing.id, self.child.id, local_day(now))

    def chooses(self, offer: ChoiceOffer, now: datetime = NOW, seen: Seen | None = None) -> bool:
        if seen is None:
            shown = {each.offer.id: each.statement.digest for each in self.sees(now).open}
            seen = Seen(shown.get(offer.id, b""), "vi")
        return choose(self.session, self.billing.id, self.chooser, offer.id, seen, GUARDIAN, now)

    def stops(self, code: str, now: datetime = NOW) -> bool:
        shown = {each.item.code: each.statement for each in self.sees(now).held}
        statement = shown.get(code)
        seen = Seen(statement.digest if statement else b"", "vi")
        return stop(self.session, self.billing.id, self.chooser, code, seen, GUARDIAN, now)


def opened(  # noqa: PLR0913, PLR0917  each is worth varying
    session: Session,
    billing: BillingSchool,
    code: str = "BANTRU",
    first: date = NOVEMBER,
    closes: date = DEADLINE,
    now: datetime = NOW,
) -> ChoiceOffer:
    """Open an item for registration."""
    return open_offer(
        session, billing.id, NewOffer(code, first, closes, "Ăn, ngủ trưa tại lớp."), billing.accountant, now
    )


def registrations(session: Session, child: Enrolled, code: str = "BANTRU") -> list[tuple[date, date | None, bool]]:
    """Return first day, last day and whether it was withdrawn of a child's registrations for an item."""
    rows = session.exec(
        select(OptIn)
        .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
        .where(OptIn.enrolment_id == child.enrolment.id, FeeItem.code == code)
        .order_by(col(OptIn.id))
    ).all()
    return [(row.valid_from, row.valid_to, row.withdrawn_at is not None) for row in rows]


def choice_ids(session: Session) -> list[UUID]:
    """Return the ids of what families chose, oldest first."""
    return list(session.exec(select(FamilyChoice.id).order_by(col(FamilyChoice.at), col(FamilyChoice.id))).all())
