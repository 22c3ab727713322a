"""What a family's page of its contract shows (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.contracts.wording import Section
from service.pages.guardian_views import ContactChoice
from service.pages.views import SchoolFace


@dataclass(frozen=True, slots=True)
class AgreedShown:
    """That the contract was agreed to with a code: when, by which masked contact, in which words."""

    at: datetime
    masked: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamilyContractPage:
    """A contract behind its link. ``sections`` is what would be agreed to, ``digest`` (hex) of its words.

    ``signed_on``: the day on which it was agreed to, however; ``pay``: where the deposit is paid, if it is open.
    Without sections and without that day the link's time is over, or the contract has ended.
    """

    token: str
    school: SchoolFace
    number: str
    child_name: str
    sections: tuple[Section, ...]
    digest: str
    until: date
    choices: tuple[ContactChoice, ...]
    unreachable: bool
    signed_on: date | None = None
    agreed: AgreedShown | None = None
    pay: str = ""
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class TypedAgreement:
    """What was ticked: the digest (hex) of what was shown, or nothing; and the contact that the code goes to."""

    shown: str
    contact: int
