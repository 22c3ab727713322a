"""A stand-in bank behind SePay: it books payments, damages memos, and posts callbacks exactly as SePay does.

It never gives away what it was asked to pay for: the receiving side sees published fields only. Whoever uses it
hands in the client, the clock, the pause and the chance, so that a demo is lively and a test is exact.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import httpx

from billing.money import ZERO, Money
from reconciliation.feeds.memo_damage import Sent, damage
from reconciliation.feeds.sepay import (
    API_KEY,
    NOTIFY_PREFIX,
    SCHEMES,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    sign,
)
from reconciliation.matching import Direction

RETRY_GAPS_MINUTES = (1, 1, 2, 3, 5, 8, 13)
ANSWER_WITHIN_SECONDS = 30
_TAKEN = (200, 201)
_VIETNAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What a payer does: ``memo`` as typed, ``route`` one of the ways memos are damaged, ``at`` in UTC."""

    account: str
    amount: Money
    at: datetime
    memo: str = ""
    virtual_account: str | None = None
    direction: Direction = Direction.IN
    payer_name: str = "Nguyễn Văn Phú"
    payer_account: str = "0161000879000"
    route: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What the bank booked: ``memo`` as it arrived, ``balance`` after it."""

    id: int
    account: str
    virtual_account: str | None
    direction: Direction
    amount: Money
    memo: str
    bank_reference: str
    at: datetime
    balance: Money

    @property
    def signed(self) -> Money:
        """The amount as the balance sees it: money out is below 0."""
        return self.amount if self.direction is Direction.IN else -self.amount


@dataclass(frozen=True, slots=True)
class Door:
    """Where an account's callbacks go and how they are signed."""

    url: str
    scheme: str
    secret: str

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(f"SePay signs by {SCHEMES}, not {self.scheme!r}")

    def headers(self, body: bytes, now: datetime) -> dict[str, str]:
        """Sign a body as sent now; each try is signed anew, as its moment is part of the signature."""
        plain = {"Content-Type": "application/json"}
        if self.scheme == API_KEY:
            return {**plain, "Authorization": f"Apikey {self.secret}"}
        timestamp = str(int(now.timestamp()))
        signature = "sha256=" + sign(body, timestamp, self.secret.encode())
        return {**plain, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How posting one callback went; ``taken`` is what SePay calls success."""

    movement_id: int
    tries: int
    taken: bool


class StandInBank:
    """Accounts with their owners, opening balances and movements."""

    def __init__(
        self, owners: Mapping[str, str], random: Random, *, gateway: str = "MBBank", first_id: int = 92_704
    ) -> None:
        self._owners = dict(owners)
        self._random = random
        self._gateway = gateway
        self._next_id = first_id
        self._balances: dict[str, Money] = {}
        self._movements: dict[str, list[Movement]] = defaultdict(list)

    def open_account(self, account: str, balance: Money) -> None:
        """Give an account its balance before the first movement; 0 đ otherwise."""
        if self._movements[account]:
            raise ValueError(f"account {account} has movements already")
        self._balances[account] = balance

    def book(self, payment: Payment) -> Movement:
        """Book a payment now; book in the order of time, as the running balance is what a statement shows."""
        reference = f"FT{payment.at + _VIETNAM:%y%j}{self._random.randrange(10**9):09d}"
        sent = Sent(
            memo=payment.memo,
            payer_name=payment.payer_name,
            payer_account=payment.payer_account,
            to_name=self._owners[payment.account],
            to_account=payment.account,
            at=payment.at,
        )
        change = payment.amount if payment.direction is Direction.IN else -payment.amount
        balance = self._balances.get(payment.account, ZERO) + change
        movement = Movement(
            id=self._next_id,
            account=payment.account,
            virtual_account=payment.virtual_account,
            direction=payment.direction,
            amount=payment.amount,
            memo=damage(sent, payment.route, self._random),
            bank_reference=reference,
            at=payment.at,
            balance=balance,
        )
        self._next_id += 1
        self._balances[payment.account] = balance
        self._movements[payment.account].append(movement)
        return movement

    def movements(self, account: str) -> Sequence[Movement]:
        """Return what was booked on an account, oldest first."""
        return tuple(self._movements[account])

    def callback(self, movement: Movement) -> bytes:
        """Return the body that SePay posts for a movement, the same bytes at every try."""
        body = {
            "id": movement.id,
            "gateway": self._gateway,
            "transactionDate": f"{movement.at + _VIETNAM:%Y-%m-%d %H:%M:%S}",
            "accountNumber": movement.account,
            "code": None,
            "content": movement.memo,
            "transferType": movement.direction.value,
            "transferAmount": movement.amount.dong,
            "accumulated": movement.balance.dong,
            "subAccount": movement.virtual_account,
            "referenceCode": movement.bank_reference,
            "description": NOTIFY_PREFIX + movement.memo,
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Postman:
    """Posts callbacks over HTTP with SePay's retry rule; ``minute_seconds`` below 60 makes time pass faster."""

    client: httpx.Client
    clock: Callable[[], datetime]
    pause: Callable[[float], None]
    minute_seconds: float = 60.0

    def deliver(self, movement_id: int, body: bytes, door: Door) -> Delivery:
        """Post until taken, eight times at most; the gaps between tries grow from 1 to 13 minutes."""
        for tries, gap in enumerate((*RETRY_GAPS_MINUTES, None), start=1):
            if self._taken(body, door):
                return Delivery(movement_id, tries, taken=True)
            if gap is not None:
                self.pause(gap * self.minute_seconds)
        return Delivery(movement_id, len(RETRY_GAPS_MINUTES) + 1, taken=False)

    def _taken(self, body: bytes, door: Door) -> bool:
        headers = door.headers(body, self.clock())
        try:
            answer = self.client.post(door.url, content=body, headers=headers, timeout=ANSWER_WITHIN_SECONDS)
            return answer.status_code in _TAKEN and answer.json().get("success") is True
        except (httpx.TransportError, ValueError, AttributeError):
            return False  # no connection, or an answer that is not {"success": true}


def as_it_really_comes(
    movements: Sequence[Movement], random: Random, *, again: float = 0.05, drift: int = 8
) -> list[Movement]:
    """Return the order in which callbacks arrive: a share comes twice, and some overtake others.

    Each moves by at most ``drift`` places, its copy a little later; every movement occurs at least once.
    """
    keyed = [(place + random.uniform(0, drift), movement) for place, movement in enumerate(movements)]
    keyed += [(key + random.uniform(0, drift), one) for key, one in keyed if random.random() < again]
    return [movement for _, movement in sorted(keyed, key=lambda pair: pair[0])]
