"""Stripe's signatures: several marks, one right; age; and nothing else believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.errors import SignatureExpired, SignatureMissing, SignatureWrong
from reconciliation.feeds.stripe import StripeFeed
from service.standins.stripe_wire import signature

NOW = datetime(2025, 10, 6, 3, 0, tzinfo=UTC)
BODY = b'{"id": "evt_1", "object": "event"}'
NEW, OLD = "whsec_moi", "whsec_cu"


def _signed(*secrets: str, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return {"Stripe-Signature": signature(body, secrets, int(at.timestamp()))}


@pytest.mark.parametrize("secrets", [(NEW,), (OLD,), ("whsec_x", NEW), (NEW, "whsec_x"), (OLD, NEW)])
def test_one_right_mark_is_enough(secrets: tuple[str, ...]) -> None:
    StripeFeed("v1", [NEW, OLD]).verify(BODY, _signed(*secrets), NOW)


@given(st.binary(max_size=60))
def test_the_official_library_signs_what_we_believe(body: bytes) -> None:
    text = body.decode("latin-1")
    at = int(NOW.timestamp())
    mark = stripe.WebhookSignature._compute_signature(f"{at}.{text}", NEW)
    StripeFeed("v1", [NEW]).verify(text.encode(), {"stripe-signature": f"t={at},v1={mark},v0=abc"}, NOW)


@pytest.mark.parametrize("age", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=3)])
def test_an_old_signature_is_refused(age: timedelta) -> None:
    with pytest.raises(SignatureExpired):
        StripeFeed("v1", [NEW]).verify(BODY, _signed(NEW, at=NOW - age), NOW)


def test_300_seconds_are_let_in() -> None:
    StripeFeed("v1", [NEW]).verify(BODY, _signed(NEW, at=NOW - timedelta(seconds=300)), NOW)


def test_other_bytes_and_other_secrets_are_refused() -> None:
    for body, headers in ((BODY + b" ", _signed(NEW)), (BODY, _signed("whsec_x")), (BODY, _signed("whsec_x", "y"))):
        with pytest.raises(SignatureWrong):
            StripeFeed("v1", [NEW]).verify(body, headers, NOW)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "t=1",
        "v1=" + "0" * 64,
        "t=1,v1=xyz",
        "t=1,t=2,v1=" + "0" * 64,
        "t=-1,v1=" + "0" * 64,
        "t=1,v0=" + "0" * 64,
        "t=1," + ",".join(["v1=" + "0" * 64] * 11),
        "t=1,v1=" + "A" * 64,
    ],
)
def test_a_malformed_header_is_refused(value: str) -> None:
    with pytest.raises(SignatureMissing):
        StripeFeed("v1", [NEW]).verify(BODY, {"Stripe-Signature": value}, NOW)


def test_only_its_own_scheme() -> None:
    with pytest.raises(ValueError, match="v1"):
        StripeFeed("hmac", [NEW])
