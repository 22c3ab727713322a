"""How a price that is written down stands to the caps, level by level, for whoever looks at the list of items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.errors import Refused
from billing.fees.caps import Cap, Place, Rulebook, Standing, check_price
from billing.fees.items import Level, Ownership
from billing.fees.schedule import price_of
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


def standing_of(row: FeePrice, item: FeeItem, school: School, on: date, rules: Rulebook) -> list[PriceStanding]:
    """Return how a price stands on a day; a refusal stops there and is the only answer."""
    found = []
    for level in map(Level, row.levels or school.levels):
        place = Place(Ownership(school.kind), level, school.zone, school.legacy_area)
        try:
            verdict = check_price(price_of(row, item), place, on, rules)
        except Refused as refusal:
            return [PriceStanding(level, None, refusal.message)]
        found.append(PriceStanding(level, verdict.standing, verdict.reason, verdict.cap))
    return found
