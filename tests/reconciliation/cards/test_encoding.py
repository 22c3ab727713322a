"""Forms are written as the official library writes them, and the stand-in reads them back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.cards.client import VERSION, session_form
from reconciliation.cards.encoding import form_pairs
from service.standins.stripe_wire import unfold
from tests.reconciliation.cards.houses import wanted

NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
LEAVES = st.text(max_size=12) | st.integers(-(10**11), 10**11) | st.booleans()
FIELDS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def _as_text(value: Any) -> Any:  # noqa: ANN401  whatever a form holds
    if isinstance(value, dict):
        return {name: _as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(FIELDS)
def test_what_is_written_is_read_back(fields: dict[str, Any]) -> None:
    body = str(httpx.QueryParams(tuple(form_pairs(fields))))
    assert unfold(parse_qsl(body, keep_blank_values=True)) == _as_text(fields)


@given(FIELDS)
def test_the_official_library_writes_the_same(fields: dict[str, Any]) -> None:
    theirs = stripe._encode._api_encode(fields)  # its public face sends at once
    ours = form_pairs(fields)
    assert [(name, _as_text(value)) for name, value in theirs] == [(name, value) for name, value in ours]


def test_the_form_of_a_session() -> None:
    pairs = dict(form_pairs(session_form(wanted(650_000))))
    assert pairs["line_items[0][price_data][unit_amount]"] == "650000", "whole đồng: VND has no smaller unit"
    assert pairs["line_items[0][price_data][currency]"] == "vnd"
    assert pairs["payment_intent_data[metadata][checkout]"] == pairs["client_reference_id"]


def test_the_official_library_knows_every_field_of_a_session() -> None:
    assert set(session_form(wanted())) <= set(stripe.params.checkout.SessionCreateParams.__annotations__)
    assert "enabled" in stripe.params.checkout.SessionCreateParamsAdaptivePricing.__annotations__
    assert dict(form_pairs(session_form(wanted())))["adaptive_pricing[enabled]"] == "false"
    assert {"payment_intent", "amount", "metadata"} <= set(stripe.params.RefundCreateParams.__annotations__)


READ = {
    stripe.checkout.Session: "id status payment_status url amount_total currency client_reference_id payment_intent",
    stripe.PaymentIntent: "id status amount amount_received currency latest_charge metadata created",
    stripe.Charge: "id amount amount_refunded paid currency payment_intent balance_transaction",
    stripe.Refund: "id status amount currency payment_intent failure_balance_transaction metadata created",
    stripe.BalanceTransaction: "id type amount fee currency source created",
    stripe.Dispute: "id status reason amount currency payment_intent evidence_details balance_transactions created",
    stripe.Payout: "id status amount currency arrival_date created",
    stripe.Event: "id type created data",
}


@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_the_official_library_knows_every_field_that_we_read(kind: type[object]) -> None:
    assert set(READ[kind].split()) <= set(kind.__annotations__)


def test_the_version_is_a_day_and_a_name() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d\.[a-z]+", VERSION)


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="amount"):
        form_pairs({"amount": 1.5})  # type: ignore[dict-item]  # that is the point
    assert form_pairs({"amount": Money(1_000)}) == [("amount", "1000")]
