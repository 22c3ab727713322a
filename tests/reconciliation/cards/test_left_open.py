"""What is open when a feed of Stripe is to be closed: named, refused, or closed with a reason that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import select

from billing.audit.tables import AuditEntry
from billing.money import Money
from reconciliation.cards.left_open import left_open
from reconciliation.cards.refunding import ask_refund
from reconciliation.tables import Feed
from service.__main__ import main
from service.commands import acting
from service.database import EVERYTHING
from service.settings import Settings
from service.wiring import Wiring
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import payout_waits

Close = Callable[..., tuple[int, str]]


@pytest.fixture
def close(cards: Carding, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Close:
    """Return ``feeds close`` on the test's database: its exit code and all it says."""
    wiring = cards.collecting.wiring

    @contextmanager
    def opened(given: Settings, *, ring: bool = True) -> Iterator[Wiring]:
        del given, ring
        yield wiring

    monkeypatch.setattr(acting, "open_wiring", opened)
    monkeypatch.setattr(acting, "read_settings", lambda: wiring.settings)

    def run(feed: Feed, *words: str) -> tuple[int, str]:
        code = main(["feeds", "close", "--feed", str(feed.id), *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def still(cards: Carding) -> list[str]:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        return left_open(session, cards.collecting.school.id, cards.collecting.account.id)


def is_closed(cards: Carding, feed: Feed) -> bool:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        return session.exec(select(Feed.closed_at).where(Feed.id == feed.id)).one() is not None


def test_a_feed_with_open_matters_is_closed_only_with_a_reason(cards: Carding, close: Close) -> None:
    paid = cards.pay(0)
    cards.hear()
    school = cards.collecting.school.id
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        ask_refund(session, cards.maker, school, paid.id, Money(100_000), "Nộp nhầm", cards.clock())
    disputed = cards.pay(1)
    cards.hear()
    cards.standin.books.dispute(cards.intent_of(disputed), 50_000)
    cards.hear()
    payout = cards.standin.books.pay_out()
    cards.clock.later(minutes=6)
    cards.ask()
    cards.checkout(1, Money(50_000))
    words = ["1 trang trả thẻ", "1 đề nghị hoàn về thẻ", "1 tranh chấp", "1 khoản chi trả chưa gắn"]
    assert [any(each.startswith(word) for each in still(cards)) for word in words] == [True] * 4
    code, said = close(cards.api)
    assert (code, is_closed(cards, cards.api)) == (1, False)
    assert all(word in said for word in words)
    assert str(Money(payout["amount"])) in said
    assert close(cards.api, "--anyway", " ")[0] == 2
    code, said = close(cards.hooks)
    assert (code, is_closed(cards, cards.hooks)) == (0, True), "asking goes on: nothing is lost"
    assert "Còn 1 tranh chấp" in said
    code, said = close(cards.api, "--anyway", "Công văn 7: chuyển tài khoản Stripe")
    assert (code, is_closed(cards, cards.api)) == (0, True)
    assert "Còn 1 tranh chấp" in said
    with cards.collecting.database.transaction(EVERYTHING) as session:
        deeds = session.exec(select(AuditEntry).where(AuditEntry.action == "feed.close")).all()
    assert len(deeds) == 2


def test_a_feed_without_open_matters_is_closed_at_once(cards: Carding, close: Close) -> None:
    payout_waits(cards, "STRIPE PAYMENTS PAYOUT")
    cards.clock.later(minutes=6)
    cards.ask()
    assert still(cards) == []
    assert close(cards.api) == (0, "Đã đóng kênh stripe. Tin gửi tới địa chỉ cũ không được nhận nữa.\n")


def test_what_left_stripe_and_was_not_told_to_have_arrived_is_under_way(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    payout = cards.standin.books.pay_out()
    payout["status"] = "in_transit"
    cards.standin.books.events[:] = [
        event for event in cards.standin.books.events if not event["type"].startswith("payout")
    ]
    cards.clock.later(minutes=6)
    cards.ask()
    assert still(cards) == [f"{Money(payout['amount'])} đang trên đường từ Stripe về ngân hàng"]
