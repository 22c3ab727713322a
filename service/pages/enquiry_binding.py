"""The doors of enquiry on rows, in a transaction that the database lets write nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlmodel import col, select

from reconciliation.enquiring import RowBook
from reconciliation.feeds import bidv_getbill, vietqrvn_check_order
from reconciliation.feeds.base import Answer
from reconciliation.feeds.bidv import BidvFeed
from reconciliation.feeds.opening import FILE_SCHEME, path_hash, reader_of
from reconciliation.feeds.vietqrvn import VietqrvnFeed
from reconciliation.lists.base import LIST
from reconciliation.tables import Feed
from service.database import EVERYTHING, Scope, use_scope
from service.pages.typed import school_day
from service.pages.within import RowsWithin
from service.watching import Watched, networks_of


class EnquiryRows(RowsWithin):
    """Questions of providers, believed by the secret of their feed."""

    def bidv_getbill(self, token: str, body: bytes, now: datetime) -> Answer | None:
        """Answer which bill a customer has to pay."""
        feed = self._feed(token)
        reader = self._reader(feed)
        if feed is None or not isinstance(reader, BidvFeed):
            return None
        return bidv_getbill.getbill(reader, body, self._book(feed, now))

    def vietqrvn_check_order(self, token: str, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer | None:
        """Answer what became of an order."""
        feed = self._feed(token)
        reader = self._reader(feed)
        if feed is None or not isinstance(reader, VietqrvnFeed):
            return None
        return vietqrvn_check_order.check_order(reader, body, headers, self._book(feed, now), now)

    def _feed(self, token: str) -> Feed | None:
        """Return the open feed behind an address, if the caller may come to it; from here on nothing is written."""
        self._session.execute(text("SET TRANSACTION READ ONLY"))
        use_scope(self._session, EVERYTHING)
        query = select(Feed).where(
            Feed.path_hash == path_hash(token),
            col(Feed.closed_at).is_(None),
            col(Feed.scheme).not_in((LIST, FILE_SCHEME)),
        )
        feed = self._session.exec(query).one_or_none()
        return feed if feed is not None and self._lets_in(feed) else None

    def _lets_in(self, feed: Feed) -> bool:
        """Tell whether questions may come from here: the feed's listed networks hold for them as for its messages."""
        watched = Watched(feed.id, feed.school_id, reader_of(feed, self._wiring.vault), networks_of(feed.allowed_from))
        return watched.lets_in((self._caller.address,))

    def _reader(self, feed: Feed | None) -> object:
        """Return what believes the feed's messages: which provider's, its class tells."""
        return None if feed is None else reader_of(feed, self._wiring.vault)

    def _book(self, feed: Feed, now: datetime) -> RowBook:
        use_scope(self._session, Scope.of(feed.school_id))
        return RowBook(self._session, feed, school_day(now))
