"""How a price that is written down stands to the caps, level by level, for whoever looks at the list of items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from billing.errors import Refused
from billing.fees.cap_rows import read_rules
from billing.fees.caps import Cap, Rulebook, Standing, check_price
from billing.fees.items import Level
from billing.fees.places import Located, located_on
from billing.fees.placing import read_places
from billing.fees.schedule import place_of, price_of
from billing.fees.tables import FeeItem, FeePrice
from billing.people.tables import School


@dataclass(frozen=True, slots=True)
class PriceStanding:
    """One price at one level: ``standing`` None when it is refused; the cap, and why in words."""

    level: Level
    standing: Standing | None
    reason: str
    cap: Cap | None = None

    @property
    def refused(self) -> bool:
        """Whether no round may charge this price."""
        return self.standing is None


@dataclass(frozen=True, slots=True)
class Measure:
    """What the prices of a school are judged by: the caps of its province, and where it lies by day."""

    school: School
    rules: Rulebook
    places: tuple[Located, ...]


def read_measure(session: Session, school: School) -> Measure:
    """Read what the prices of a school are judged by."""
    return Measure(school, read_rules(session, school.province_id), read_places(session, school.id))


def standing_of(row: FeePrice, item: FeeItem, measure: Measure, on: date) -> list[PriceStanding]:
    """Return how a price stands on a day where the school then lies; a refusal stops there and is the only answer."""
    found = []
    school, located = measure.school, located_on(measure.places, on)
    for level in map(Level, row.levels or school.levels):
        place = place_of(school, level, located)
        try:
            verdict = check_price(price_of(row, item), place, on, measure.rules)
        except Refused as refusal:
            return [PriceStanding(level, None, refusal.message)]
        found.append(PriceStanding(level, verdict.standing, verdict.reason, verdict.cap))
    return found
