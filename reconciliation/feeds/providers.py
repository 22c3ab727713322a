"""The providers whose callbacks we can believe and read (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.feeds.casso import CassoFeed
from reconciliation.feeds.payos import PayosFeed
from reconciliation.feeds.sepay import SepayFeed
from reconciliation.feeds.signing import SignedFeed

FEEDS: Mapping[str, type[SignedFeed]] = {each.provider: each for each in (SepayFeed, CassoFeed, PayosFeed)}
"""By the name under which a feed is configured."""
