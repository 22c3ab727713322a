"""The poller: asks providers' lists for what callbacks did not tell. Each feed is asked by one process at a time.

While a provider answers no transaction is open: what an asking needs is read before, every page is committed by
itself, and the row that says it is done comes last. Killed anywhere, the feed is simply still due.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field

import httpx

from reconciliation.errors import ListRefused, ProviderAway
from reconciliation.lists.fetching import Asked, Fetcher
from reconciliation.lists.polling import Asking, Due, Tally, due_askings, keep_page, prepare, record_poll
from service.channels import trusted
from service.database import EVERYTHING, Scope
from service.settings import Settings
from service.wiring import Wiring

_log = logging.getLogger(__name__)

MOST_FEEDS = 100
MOST_PAGES = 300
BETWEEN_PAGES_SECONDS = 0.4  # SePay takes three requests a second from one address
_TIMEOUT = httpx.Timeout(15.0, connect=5.0)


@dataclass(slots=True)
class _Round:
    """One call of the job: how pages are fetched, and who did not answer in it."""

    wiring: Wiring
    fetcher: Fetcher
    away: set[str] = field(default_factory=set)


def poll(wiring: Wiring) -> int:
    """Ask what is due, at most 100 feeds in one call; return how many were asked with success."""
    with wiring.database.transaction(EVERYTHING) as session:
        due = due_askings(session, wiring.clock(), MOST_FEEDS)
    if not due:
        return 0
    with httpx.Client(timeout=_TIMEOUT, verify=trusted(), follow_redirects=False) as client:
        return poll_with(wiring, Fetcher(client, time.sleep, time.monotonic), due)


def poll_with(wiring: Wiring, fetcher: Fetcher, due: list[Due]) -> int:
    """Ask with a given client; return how many feeds were asked with success. One bad feed stops no other."""
    this = _Round(wiring, fetcher)
    done = 0
    for each in due:
        try:
            with wiring.database.alone(f"poll {each.feed_id}") as mine:
                done += _ask(this, each) if mine else 0
        except Exception:  # noqa: BLE001  whatever it was, it is logged, and the feed stays due
            _log.exception("asking for feed %s failed", each.feed_id)
    return done


def base_url(settings: Settings, provider: str) -> str:
    """Return where a provider's list is asked for."""
    return {"sepay": settings.sepay_api_url, "casso": settings.casso_api_url}[provider]


def _ask(this: _Round, due: Due) -> bool:
    wiring, scope = this.wiring, Scope.of(due.school_id)
    began_at = wiring.clock()
    with wiring.database.transaction(scope) as session:
        asking = prepare(session, wiring.vault, due, began_at)
    if asking is None:
        return False
    tally = Tally()
    reason = _walk(this, asking, tally)
    with wiring.database.transaction(scope) as session:
        record_poll(session, asking, tally, reason, began_at, wiring.clock())
    if reason:
        _log.warning("feed %s: %s", due.feed_id, reason)
    return not reason


def _walk(this: _Round, asking: Asking, tally: Tally) -> str:
    """Fetch and keep page after page; return why it ended too early, empty if it did not."""
    name = asking.reader.name
    if asking.reader.provider in this.away:
        return f"{name} không trả lời hoặc báo bận, sẽ hỏi lại sau"
    where = base_url(this.wiring.settings, asking.reader.provider)
    asked = Asked(asking.reader, where, asking.account.number, asking.token)
    asks = deque([asking.span])
    for _ in range(MOST_PAGES):
        try:
            ask = asks.popleft()
            body = this.fetcher.page(asked, ask)
            asks.extendleft(reversed(asking.reader.more(ask, body)))
            if not asking.reader.cut_short(body):
                _keep(this.wiring, asking, tally, body)
        except ProviderAway as away:
            this.away.add(asking.reader.provider)
            return away.message
        except ListRefused as refused:
            return refused.message
        if not asks:
            return ""
        this.fetcher.pause(BETWEEN_PAGES_SECONDS)
    return f"Danh sách của {name} dài hơn {MOST_PAGES} trang"


def _keep(wiring: Wiring, asking: Asking, tally: Tally, body: bytes) -> None:
    told = asking.reader.read_each(body)
    with wiring.database.transaction(Scope.of(asking.due.school_id)) as session:
        kept = keep_page(session, wiring.vault, asking, tally, body, told, wiring.clock())
    if kept:
        wiring.ring("reconciliation.normalise")
