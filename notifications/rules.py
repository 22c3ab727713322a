"""What happened + whom it concerns = which messages, by which channels, not before when (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

from billing.money import ZERO, Money
from notifications.quiet import SCHOOL_TIME, allowed_from, is_just_paid


class Kind(StrEnum):
    """What a family is told."""

    BILL_ISSUED = "bill_issued"
    BILL_REPLACED = "bill_replaced"  # issued in the place of a notice that the family has got
    BILL_VOIDED = "bill_voided"
    BILL_CREDITED = "bill_credited"
    CREDIT_USED = "credit_used"
    BILL_REMINDED = "bill_reminded"
    CONTRACT_OFFERED = "contract_offered"
    CHOICE_OFFERED = "choice_offered"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_TAKEN_BACK = "payment_taken_back"  # by the bank, or back to a card; the bill is open again
    CARD_UNPAID = "card_unpaid"  # a card page that the family finished came to nothing


NOTICES = frozenset({Kind.BILL_ISSUED, Kind.BILL_REPLACED, Kind.BILL_REMINDED})
"""Kinds that ask a family for money."""


INVITATIONS = frozenset({Kind.CONTRACT_OFFERED, Kind.CHOICE_OFFERED})
"""Kinds that ask a family for an answer by a day."""


ASKING = INVITATIONS | {Kind.BILL_REMINDED}
"""Kinds that nobody waits for: on a phone that has got many texts they come later."""


class Via(StrEnum):
    """The channels, by the name under which they are stored."""

    ZALO = "zalo"
    SMS = "sms"
    MAIL = "email"


class Silence(StrEnum):
    """Why nobody is told anything."""

    NOTHING_TO_PAY = "nothing_to_pay"  # covered by the State or a donor, paid or void: no notice, ever
    TAKEN_BACK = "taken_back"  # a payment reversed before its receipt was sent
    NEVER_TOLD = "never_told"  # the family never got the notice that is withdrawn or lowered
    REPLACED = "replaced"  # another notice says all of it
    WITHDRAWN = "withdrawn"  # the bill was taken back since, and that is told
    MORE_TIME = "more_time"  # the family was given more time since, or what is due first was paid
    NO_CHANGE = "no_change"  # nothing that the family pays has changed
    ANSWERED = "answered"  # the family has answered what it is asked
    OVER = "over"  # nobody can answer any more
    NO_GUARDIAN = "no_guardian"
    NOT_WANTED = "not_wanted"  # every guardian said no
    NO_CONTACT = "no_contact"  # somebody wants to know, and there is no phone and no address


LISTED = frozenset({Silence.NO_GUARDIAN, Silence.NO_CONTACT})
"""Silences the school office must see: a slip on paper has to go home with the child."""


_Address = tuple[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened to one pupil at one school.

    ``unpaid`` is what the family still has to pay now. ``paid_at`` is the bank's moment of a payment, None if
    only its day is known. ``moot``: why what happened is no news for the family (any more). ``last_day``: until the
    end of which a family can answer an invitation.
    """

    kind: Kind
    unpaid: Money
    paid_at: datetime | None = None
    moot: Silence | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """One asking: when, how many families it went to, and what became of its messages.

    ``accepted``: taken by Zalo or a mail server; ``waiting``: for morning, or to be sent; ``unreached``: families to
    whom nothing can be sent (no contact, or none that works), whom the school asks otherwise.
    """

    at: datetime
    families: int
    accepted: int
    waiting: int
    unreached: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """A guardian as the rules see one.

    ``phone`` and ``mail`` are keys that tell two addresses apart (a blind index will do), None without one.
    ``takes_sms``: SMS may be sent to the phone, and the school pays for it.
    """

    guardian_id: UUID
    wants_notices: bool
    phone: str | bytes | None = None
    mail: str | bytes | None = None
    refuses_zalo: bool = False
    takes_sms: bool = False


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message to one guardian: ``channels`` are tried in this order until one accepts it."""

    guardian_id: UUID
    kind: Kind
    channels: tuple[Via, ...]
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """All messages of one occasion, or why there are none; exactly one of the two."""

    messages: tuple[PlannedMessage, ...]
    silence: Silence | None = None


def plan(occasion: Occasion, guardians: Sequence[Recipient], now: datetime, *, every_channel: bool = False) -> Plan:
    """Decide who is told and how.

    Zalo first if there is a phone and Zalo was not refused, then SMS where the school pays for it, then mail; with
    ``every_channel`` (the school's wish) the phone and the mail each on its own. Two guardians who share a phone or an
    address are told there once.
    """
    if not still_wanted(occasion):
        return Plan((), occasion.moot or Silence.NOTHING_TO_PAY)
    if too_late(occasion, now):
        return Plan((), Silence.OVER)
    willing = [guardian for guardian in guardians if guardian.wants_notices]
    if not willing:
        return Plan((), Silence.NOT_WANTED if guardians else Silence.NO_GUARDIAN)
    not_before = earliest(occasion, now)
    messages = tuple(
        PlannedMessage(guardian.guardian_id, occasion.kind, channels, not_before)
        for guardian, ways in zip(willing, _shared_out(willing, every_channel=every_channel), strict=True)
        for channels in _in_order(ways, every_channel=every_channel)
    )
    return Plan(messages, None if messages else Silence.NO_CONTACT)


def still_wanted(occasion: Occasion) -> bool:
    """Say whether the message makes sense now; asked again before it is sent, for a night may lie between.

    A bill with nothing left to pay is never announced. All else is told unless it is moot.
    """
    if occasion.moot:
        return False
    return occasion.kind not in NOTICES or occasion.unpaid > ZERO


def too_late(occasion: Occasion, now: datetime) -> bool:
    """Tell whether an invitation could only be read after its last day; a night may lie between."""
    if occasion.last_day is None:
        return False
    return earliest(occasion, now).astimezone(SCHOOL_TIME).date() > occasion.last_day


def earliest(occasion: Occasion, now: datetime) -> datetime:
    """Return when the message may be sent, in UTC; asked again before each try."""
    if occasion.kind is Kind.PAYMENT_RECEIVED and is_just_paid(occasion.paid_at, now):
        return now.astimezone(UTC)
    return allowed_from(now)


def _shared_out(guardians: Sequence[Recipient], *, every_channel: bool) -> list[tuple[Via, ...]]:
    """Give each guardian their ways, best first; an address that is surely used for one is nobody else's."""
    owner: dict[_Address, int] = {}
    for place, guardian in enumerate(guardians):
        free = [address for _, address in _ways(guardian) if address not in owner]
        owner.update(dict.fromkeys(free if every_channel else free[:1], place))
    return [
        tuple(via for via, address in _ways(guardian) if owner.get(address, place) == place)
        for place, guardian in enumerate(guardians)
    ]


def _ways(guardian: Recipient) -> list[tuple[Via, _Address]]:
    ways: list[tuple[Via, _Address]] = []
    if guardian.phone:
        phone = ("phone", guardian.phone)
        ways += [] if guardian.refuses_zalo else [(Via.ZALO, phone)]
        ways += [(Via.SMS, phone)] if guardian.takes_sms else []
    return ways + ([(Via.MAIL, ("mail", guardian.mail))] if guardian.mail else [])


def _in_order(ways: tuple[Via, ...], *, every_channel: bool) -> list[tuple[Via, ...]]:
    """Return what is tried one after the other; the two ways to a phone always are."""
    chains = [tuple(via for via in ways if via is not Via.MAIL), tuple(via for via in ways if via is Via.MAIL)]
    return [chain for chain in (chains if every_channel else [ways]) if chain]
