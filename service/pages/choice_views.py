"""What the pages of choices show and take (pure): items open for registration, a family's own page of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from billing.money import Money
from notifications.rules import Invitation
from service.pages.guardian_views import ContactChoice
from service.pages.views import SchoolFace


@dataclass(frozen=True, slots=True)
class ShownOffer:
    """An item that a family may tick: its sentences, and their digest in hexadecimal digits, which the form returns."""

    offer_id: str
    name: str
    lines: tuple[str, ...]
    digest: str

    @property
    def value(self) -> str:
        """What a ticked box sends."""
        return f"{self.offer_id}:{self.digest}"


@dataclass(frozen=True, slots=True)
class ShownHeld:
    """An item that the child is registered for; without ``digest`` there is nothing to end."""

    code: str
    name: str
    since: date
    until: date | None
    lines: tuple[str, ...] = ()
    digest: str = ""
    by_contract: bool = False


@dataclass(frozen=True, slots=True)
class FullChoices:
    """What only a proven guardian sees: the whole name, and everything to choose, held or refused (name, reason)."""

    child_name: str
    open: tuple[ShownOffer, ...]
    held: tuple[ShownHeld, ...]
    refused: tuple[tuple[str, str], ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class FamilyChoicesPage:
    """The family's page of choices: without a session only where a code can be sent, with one the choices."""

    token: str
    school: SchoolFace
    child_name: str
    choices: tuple[ContactChoice, ...]
    unreachable: bool
    signed_in: bool
    full: FullChoices | None = None


class Chosen(StrEnum):
    """How a family's act ended; ``NOTHING``: all of it stood already. ``CLOSED``: no session of this child."""

    DONE = "done"
    NOTHING = "nothing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Ticked:
    """An offer that was ticked, and the digest of the words that stood beside the box."""

    offer_id: UUID
    digest: bytes


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An item that is or was open; ``state`` is *open*, *over* (after the deadline) or *closed*."""

    offer_id: str
    name: str
    first_day: date
    closes_on: date
    state: str
    registered: int
    refused: int
    words: str


@dataclass(frozen=True, slots=True)
class OfferForm:
    """The form that opens an item, with words to start from."""

    code: str
    name: str
    price: str
    words: str
    first: date
    closes: date


@dataclass(frozen=True, slots=True)
class OffersPage:
    """All offers of a school, newest first; ``items`` (code, name) can be opened; ``form`` for the one chosen."""

    rows: tuple[OfferRow, ...]
    items: tuple[tuple[str, str], ...]
    today: date
    form: OfferForm | None = None


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A registration by a family, for the accountant. ``reason``: why it was refused; ``ended``: its last day.

    ``missed``: the pupil's notice for the first month was issued before, without this item.
    """

    choice_id: str
    pupil: str
    class_name: str
    guardian: str
    masked: str
    at: datetime
    day: date
    price: Money
    digest: str
    reason: str = ""
    ended: date | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class OfferPage:
    """One offer with what families chose of it."""

    row: OfferRow
    choices: tuple[ChoiceRow, ...]
    asked: tuple[Invitation, ...] = ()


@dataclass(frozen=True, slots=True)
class TypedOffer:
    """What the accountant typed to open an item."""

    code: str
    first: str
    closes: str
    words: str
