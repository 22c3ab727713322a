"""The providers whose callbacks we can believe and read (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.feeds.bidv import BidvFeed
from reconciliation.feeds.casso import CassoFeed
from reconciliation.feeds.mb import MbFeed
from reconciliation.feeds.pay2s import Pay2sFeed
from reconciliation.feeds.payos import PayosFeed
from reconciliation.feeds.sepay import SepayFeed
from reconciliation.feeds.signing import SignedFeed
from reconciliation.feeds.vietinbank import VietinbankFeed
from reconciliation.feeds.vietqrvn import VietqrvnFeed

FEEDS: Mapping[str, type[SignedFeed]] = {
    feed.provider: feed
    for feed in (
        SepayFeed,
        CassoFeed,
        PayosFeed,
        VietqrvnFeed,
        BidvFeed,
        VietinbankFeed,
        MbFeed,
        Pay2sFeed,
    )
}
"""By the name under which a feed is configured."""
