"""Whom the client is tested against: our stand-in always, the official stripe-mock where STRIPE_MOCK_URL names one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from billing.money import Money
from reconciliation.cards.client import StripeClient, Wanted
from service.standins import stripe_api
from service.standins.serving import Running
from service.standins.stripe_api import StripeStandIn

KEY = "sk_test_xin_chao"
SECRET = "whsec_xin_chao"  # noqa: S105  of the stand-in
NOW = datetime(2025, 10, 6, 3, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class House:
    """A running stand-in, a client of it, its clock, and for how long the client paused."""

    standin: StripeStandIn
    running: Running
    clock: Clock
    http: httpx.Client
    pauses: list[float] = field(default_factory=list)

    @property
    def client(self) -> StripeClient:
        return StripeClient(self.http, self.running.url, KEY, self.pauses.append, lambda: 0.5)


@contextmanager
def house() -> Iterator[House]:
    clock = Clock()
    standin = stripe_api.make(KEY, SECRET, clock)
    running = stripe_api.start(standin)
    with httpx.Client(timeout=httpx.Timeout(2.0)) as http:
        yield House(standin, running, clock, http)
    running.stop()


def wanted(amount: int = 650_000, checkout: str = "0199b3c0-0000-7000-8000-000000000001") -> Wanted:
    return Wanted(
        checkout=checkout,
        amount=Money(amount),
        name="Học phí tháng 10/2025",
        success_url="https://hocphi.example/the/xong",
        cancel_url="https://hocphi.example/the/thoi",
        expires_at=NOW + timedelta(minutes=45),
    )
