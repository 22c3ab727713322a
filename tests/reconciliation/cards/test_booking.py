"""What is put aside instead of booked: with its reason, and once, so that nothing is tried again for ever."""

from __future__ import annotations

import json

from sqlmodel import select

from reconciliation.tables import InboxMessage, InboxResult
from service.database import EVERYTHING
from tests.factories.cards import Carding


def test_a_second_payment_that_names_a_paid_checkout_is_put_aside_with_its_reason(cards: Carding) -> None:
    cards.pay()
    bodies = cards.events()
    charge = next(json.loads(body) for body in bodies if json.loads(body)["type"] == "charge.succeeded")
    charge["id"] = "evt_made_by_hand"
    charge["data"]["object"].update(id="ch_made_by_hand", payment_intent="pi_made_by_hand")
    cards.hear(*bodies)
    cards.hear(json.dumps(charge).encode())
    assert cards.collecting.receipts() == [(1, 650_000)]
    (why,) = cards.put_aside()
    assert why.startswith("Lần nộp thẻ này đã được trả bằng một khoản khác của Stripe")
    with cards.collecting.database.transaction(EVERYTHING) as session:
        read = set(session.exec(select(InboxResult.inbox_id)).all())
        assert {message.id for message in session.exec(select(InboxMessage)).all()} == read, "none waits to be read"


def test_both_payments_of_a_checkout_in_one_batch(cards: Carding) -> None:
    cards.pay()
    bodies = cards.events()
    charge = next(json.loads(body) for body in bodies if json.loads(body)["type"] == "charge.succeeded")
    charge["id"] = "evt_made_by_hand"
    charge["data"]["object"].update(id="ch_made_by_hand", payment_intent="pi_made_by_hand")
    cards.hear(*bodies, json.dumps(charge).encode())
    assert (cards.collecting.receipts(), len(cards.put_aside())) == ([(1, 650_000)], 1)
