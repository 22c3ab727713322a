"""What the pages of card payments show (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from billing.money import ZERO, Money

DISPUTES = {
    "warning_needs_response": ("hỏi trước, cần trả lời", "asked early, needs an answer"),
    "warning_under_review": ("hỏi trước, đang xem", "asked early, under review"),
    "warning_closed": ("hỏi trước, đã đóng", "asked early, closed"),
    "needs_response": ("cần trả lời", "needs an answer"),
    "under_review": ("ngân hàng đang xem", "under review"),
    "won": ("trường thắng", "won"),
    "lost": ("trường thua", "lost"),
    "prevented": ("đã ngăn được", "prevented"),
}
"""Stripe's word for how a dispute stands, in Vietnamese and English."""
REASONS = {
    "fraudulent": ("chủ thẻ nói không phải mình trả", "the cardholder did not pay"),
    "duplicate": ("bị trả hai lần", "paid twice"),
    "product_not_received": ("không nhận được dịch vụ", "the service was not received"),
    "product_unacceptable": ("dịch vụ không như đã nói", "the service is not as described"),
    "credit_not_processed": ("đã hứa hoàn mà chưa hoàn", "a promised refund did not come"),
    "unrecognized": ("chủ thẻ không nhận ra khoản này", "the cardholder does not recognise it"),
    "general": ("không nói rõ", "not told"),
}
"""Stripe's word for why; one that is not here stands as it is."""
TO_ANSWER = frozenset({"needs_response", "warning_needs_response"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for and another has to decide; ``mine`` may only be taken back."""

    id: str
    maker: str
    at: datetime
    reason: str
    mine: bool


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """An account: whether its bills may be paid by card, which feeds are open, and what is asked for."""

    account_id: str
    account: str
    on: bool
    hooks: bool
    api: bool
    asked: Asked | None
    asked_on: bool

    @property
    def works(self) -> bool:
        """Whether families are offered cards."""
        return self.on and self.hooks and self.api


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment by card: ``amount`` as paid, ``worth`` what the school has of it now, ``left`` what can be given back.

    ``booked`` is false while the book says another sum: credit from it was used, and has to be freed first.
    """

    checkout_id: str
    reference: str
    day: date
    amount: Money
    worth: Money
    left: Money
    booked: bool
    disputed: bool
    about: PaidFor


@dataclass(frozen=True, slots=True)
class PaidFor:
    """Whom and what a payment is about: the child, its class, and what of it is set against which bill or nothing."""

    child: str
    group: str
    bills: tuple[tuple[str, Money], ...]
    surplus: Money


@dataclass(frozen=True, slots=True)
class UnheardRow:
    """A page that is over, and nothing of it is booked or ended; ``page`` is Stripe's id, opened at ``at``.

    ``asked``: somebody asks to end it, and another decides.
    """

    page: str
    amount: Money
    at: datetime
    about: PaidFor
    asked: bool = False


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund that was asked for; ``why`` of a no.

    ``state``: asked, refused, sending, stuck (not taken by Stripe for an hour), sent, done or failed.
    """

    reference: str
    amount: Money
    state: str
    why: str
    asked: Asked
    about: PaidFor


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute as Stripe last told it."""

    dispute_id: str
    reference: str
    amount: Money
    status: str
    reason: str
    due_by: datetime | None

    @property
    def words(self) -> tuple[str, str]:
        """How it stands, in Vietnamese and English."""
        return DISPUTES.get(self.status, (self.status, self.status))

    @property
    def why(self) -> tuple[str, str]:
        """What the cardholder says, in Vietnamese and English."""
        return REASONS.get(self.reason, (self.reason, self.reason))

    @property
    def to_answer(self) -> bool:
        """Whether the school has to answer."""
        return self.status in TO_ANSWER


@dataclass(frozen=True, slots=True)
class TransferChoice:
    """Waiting money in that may be a payout; without Stripe's name (``named``) another person agrees.

    So it is where it came ``late``, or ``less`` than Stripe paid out: what banks kept of it.
    """

    transfer_id: str
    day: date
    memo: str
    named: bool
    late: bool = False
    less: Money = ZERO


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout that the bank has not brought yet; ``asked`` while a tie waits for a second person."""

    payout_id: str
    amount: Money
    day: date
    choices: tuple[TransferChoice, ...]
    asked: bool = False


@dataclass(frozen=True, slots=True)
class PartChoice:
    """Waiting money in that may be a part of a payout, or several of them."""

    transfer_id: str
    amount: Money
    day: date
    memo: str


@dataclass(frozen=True, slots=True)
class TiedRow:
    """A payout that the bank brought; ``by_rule`` where no person tied it, ``failed`` where it failed afterwards.

    ``several``: it was tied together with others, and is taken apart with them.
    """

    payout_id: str
    amount: Money
    day: date
    memo: str
    by_rule: bool
    failed: bool = False
    several: bool = False


@dataclass(frozen=True, slots=True)
class ActRow:
    """What waits for a second person about payouts or Stripe's money.

    ``kind``: tie, untie, tie_several, explain, top_up, opening or end_page; ``words`` name account or transfers.
    """

    kind: str
    subject: str
    amount: Money
    words: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A movement of Stripe's balance that nobody could read; ``amount`` is below 0 where Stripe took it.

    ``ours``: two people took it for the school's own money, and it waits for the bank's money out.
    """

    movement_id: str
    amount: Money
    day: date
    note: str
    ours: bool = False

    @property
    def incoming(self) -> bool:
        """Whether it came to Stripe: then it may be the school's own money."""
        return self.amount > ZERO


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """What Stripe said it holds for an account at a moment, and by how much that is not what we know of.

    ``asked``: somebody asks to take that for what was there before, and another decides. ``others`` are the other
    currencies that Stripe named, such as ``USD``.
    """

    account_id: str
    account: str
    at: datetime
    told: Money
    difference: Money
    asked: bool = False
    others: str = ""


@dataclass(frozen=True, slots=True)
class CardPage:
    """Cards of a school; ``in_transit`` is what the book holds on its way (113T).

    ``payments`` are one page of them, newest first: from behind ``before`` on; ``older`` leads to the next ones.
    Those that are not in the book as Stripe tells them are ``unbooked``, all of them, however old; pages of which
    nothing came and should have by now are ``unheard``.
    """

    switches: tuple[SwitchRow, ...]
    payments: tuple[PaymentRow, ...]
    refunds: tuple[RefundRow, ...]
    disputes: tuple[DisputeRow, ...]
    payouts: tuple[PayoutRow, ...]
    in_transit: Money
    parts: tuple[PartChoice, ...] = ()
    unbooked: tuple[PaymentRow, ...] = ()
    unheard: tuple[UnheardRow, ...] = ()
    tied: tuple[TiedRow, ...] = ()
    acts: tuple[ActRow, ...] = ()
    movements: tuple[MovementRow, ...] = ()
    balances: tuple[BalanceRow, ...] = ()
    before: int = 0
    older: int = 0

    @property
    def may_be_several(self) -> bool:
        """Whether one payout may have come in several transfers, or several in one."""
        sides = (len(self.payouts), len(self.parts))
        return min(sides) > 0 and max(sides) > 1


@dataclass(frozen=True, slots=True)
class CardsWaiting:
    """How many matters of cards wait for a person.

    Disputes to be answered (the first until ``due_by``), what somebody asked for and another decides, differences from
    what Stripe holds, its movements that are ``unclear``, and messages that were put ``aside``.
    """

    disputes: int = 0
    due_by: datetime | None = None
    decisions: int = 0
    differences: int = 0
    unclear: int = 0
    aside: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.disputes + self.decisions + self.differences + self.unclear + self.aside


@dataclass(frozen=True, slots=True)
class CardOffer:
    """What a family may pay by card now, and for which child (masked) of which school."""

    token: str
    school: str
    child: str
    title: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CardOrder:
    """A checkout on its way to Stripe: our row, committed; ``url`` is its page where there is one already.

    ``older``: the open pages of the same request, by checkout and Stripe's id, closed before a new one is made.
    """

    checkout_id: UUID
    school_id: UUID
    account_id: UUID
    amount: Money
    name: str
    expires_at: datetime
    url: str | None = None
    older: tuple[tuple[UUID, str], ...] = ()

    @property
    def asks_provider(self) -> bool:
        """Whether the card provider has to be asked, since its page is not made or others are to be closed first."""
        return self.url is None or bool(self.older)


OpenCardPage = Callable[[CardOrder], str]
"""Asks Stripe for the page of an order, keeps it, and returns its address; no transaction is open meanwhile."""
