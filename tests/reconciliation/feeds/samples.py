"""One believed message for every provider and scheme, so that what holds for all of them is tested on all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from reconciliation.feeds import bidv, casso, mb, pay2s, payos, sepay, vietinbank, vietqrvn
from reconciliation.feeds.providers import FEEDS
from reconciliation.feeds.signing import SignedFeed
from tests.reconciliation.feeds import bank_samples as banks
from tests.reconciliation.feeds import casso_published, payos_published, sepay_published, vietinbank_published

STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
"""Anything JSON can hold, and what only Python's own JSON can (NaN, Infinity)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A message that is believed with the secret. ``whole``: no byte of it may change, else only some fields."""

    provider: str
    scheme: str
    secret: str
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    other_secret: str = "another"  # noqa: S105  invented
    found: bool = True  # whether checks by hand find this scheme

    def feed(self, *secrets: str) -> SignedFeed:
        """Return a feed with these secrets, or with the right one."""
        return FEEDS[self.provider](self.scheme, secrets or [self.secret])


def with_one_value_changed(body: bytes, data: st.DataObject) -> bytes:
    """Return the JSON body with anything in the place of one value, however deep it stands."""
    fields = json.loads(body)
    place = fields
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(STRANGE)
    return json.dumps(fields).encode()


def compact(fields: object) -> bytes:
    """Return JSON without a blank, so that every byte of it means something."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


SAMPLES = (
    Sample(
        "sepay",
        sepay.HMAC,
        sepay_published.SECRET,
        {"X-SePay-Signature": sepay_published.SIGNATURE, "X-SePay-Timestamp": sepay_published.TIMESTAMP},
        sepay_published.SIGNED_BODY,
        whole=True,
    ),
    Sample("sepay", sepay.API_KEY, "khoa", {"Authorization": "Apikey khoa"}, sepay_published.documented(), whole=False),
    Sample("casso", casso.V2, casso_published.KEY, casso_published.HEADERS, casso_published.BODY, whole=True),
    Sample(
        "casso",
        casso.V1,
        casso_published.TOKEN,
        {"Secure-Token": casso_published.TOKEN},
        casso_published.listed({}),
        whole=False,
    ),
    Sample("payos", payos.CHECKSUM, payos_published.KEY, {}, payos_published.PUBLISHED, whole=False),
    Sample(
        "vietinbank",
        vietinbank.RSA,
        vietinbank_published.SECRET,
        {},
        vietinbank_published.notice(),
        whole=False,
        other_secret=vietinbank_published.OTHER_SECRET,
        found=False,
    ),
    Sample(
        "vietinbank",
        vietinbank.RSA_ONE_WAY,
        vietinbank_published.public_pem(vietinbank_published.BANK),
        {},
        vietinbank_published.notice(),
        whole=False,
        other_secret=vietinbank_published.OTHER_SECRET,
    ),
    Sample("mb", mb.CHECKSUM, banks.MB_SECRET, {}, banks.message(banks.MB), whole=False),
    Sample("bidv", bidv.CHECKSUM, banks.BIDV_SECRET, {}, banks.message(banks.BIDV), whole=False),
    Sample("pay2s", pay2s.BEARER, "khoa", {"Authorization": "Bearer khoa"}, banks.pay2s({}), whole=False),
    Sample(
        "vietqrvn",
        vietqrvn.TOKEN,
        banks.VIETQR_SECRET,
        {"Authorization": f"Bearer {banks.VIETQR_TOKEN}"},
        banks.message(banks.VIETQR),
        whole=False,
    ),
    Sample(
        "vietqrvn",
        vietqrvn.BEARER,
        "khoa",
        {"Authorization": "Bearer khoa"},
        banks.message(banks.VIETQR),
        whole=False,
    ),
    Sample("vietqrvn", vietqrvn.AGENCY, banks.AGENCY_SECRET, {}, banks.message(banks.AGENCY), whole=False),
)
