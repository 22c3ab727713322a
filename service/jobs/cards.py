"""Cards: sends approved refunds to Stripe, asks for what webhooks did not tell, then ties payouts to the bank.

Each feed is asked by one process at a time, and no transaction is open while Stripe answers. Killed anywhere, the feed
is simply still due; a refund that was sent and not written down is found at Stripe by its mark before it is sent again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from uuid import UUID

import httpx
from sqlalchemy import text

from billing.errors import Refused
from reconciliation.cards.asking import (
    EVENTS,
    AskedPage,
    CardAsking,
    DueCards,
    Tally,
    due_cards,
    keep_balance,
    keep_rows,
    prepare,
    record_asking,
)
from reconciliation.cards.checking_out import closing_key
from reconciliation.cards.client import StripeClient
from reconciliation.cards.encoding import Fields
from reconciliation.cards.ending import end_page
from reconciliation.cards.errors import CardFaultKept, CardKeyRefused, CardProviderAway, CardRequestRefused
from reconciliation.cards.objects import OtherMoney, read_page, read_refund
from reconciliation.cards.outcomes import OVER, outcome_of
from reconciliation.cards.payouts import tie_by_rule
from reconciliation.cards.refunding import ToSend, answer_refund, refuse_disputed, refuse_spent_credit
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.json_body import JsonObject
from service.channels import trusted
from service.database import EVERYTHING, Scope
from service.wiring import Wiring

_log = logging.getLogger(__name__)

MOST_FEEDS = 100
EVENTS_KEPT = timedelta(days=30)
"""For so long Stripe keeps events."""
CHANGES_WITHIN = timedelta(days=200)
"""So long a dispute may take until it is decided, or a refund until it fails, and then some."""
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
MakeClient = Callable[[str], StripeClient]
"""Makes a client from an API key."""

_SCHOOLS_WITH_PAYOUTS = text("""
    SELECT DISTINCT f.school_id FROM card_facts f
    JOIN transfers t ON t.school_id = f.school_id AND t.bank_account_id = f.bank_account_id
     AND t.direction = 'in' AND t.state = 'waiting' AND t.amount = f.amount
    WHERE f.kind = 'payout' AND NOT EXISTS (
        SELECT FROM card_payout_ties c WHERE c.school_id = f.school_id AND c.payout_id = f.stripe_id
          AND NOT EXISTS (SELECT FROM card_payout_ends z WHERE z.tie_id = c.id))""")


def cards(wiring: Wiring) -> int:
    """Ask what is due, at most 100 feeds in one call, then tie payouts; return how many feeds were asked."""
    with wiring.database.transaction(EVERYTHING) as session:
        due = due_cards(session, wiring.clock(), MOST_FEEDS)
    asked = 0
    if due:
        with httpx.Client(timeout=TIMEOUT, verify=trusted(), follow_redirects=False) as http:
            asked = cards_with(wiring, lambda key: client_of(wiring, http, key), due)
    tie_payouts(wiring)
    return asked


def client_of(wiring: Wiring, http: httpx.Client, key: str) -> StripeClient:
    """Return a client for one school's key."""
    return StripeClient(http, wiring.settings.stripe_api_base, key, time.sleep, random.random)


def cards_with(wiring: Wiring, make: MakeClient, due: Sequence[DueCards]) -> int:
    """Ask with clients that are handed in; one bad feed stops no other."""
    done = 0
    for each in due:
        try:
            with wiring.database.alone(f"cards {each.feed_id}") as mine:
                done += _ask(wiring, make, each) if mine else 0
        except Exception:  # noqa: BLE001  whatever it was, it is logged, and the feed stays due
            _log.exception("asking for card feed %s failed", each.feed_id)
    return done


def tie_payouts(wiring: Wiring) -> int:
    """Tie payouts to the bank's transfers by the rule, school by school; one bad school stops no other."""
    with wiring.database.transaction(EVERYTHING) as session:
        schools: list[UUID] = list(session.execute(_SCHOOLS_WITH_PAYOUTS).scalars())
    tied = 0
    for school_id in schools:
        try:
            with wiring.database.transaction(Scope.of(school_id)) as session:
                tied += tie_by_rule(session, school_id, wiring.clock())
        except Exception:  # noqa: BLE001  whatever it was, it is logged, and the payouts still wait to be tied
            _log.exception("tying payouts of school %s failed", school_id)
    return tied


def _ask(wiring: Wiring, make: MakeClient, due: DueCards) -> bool:
    scope, began_at = Scope.of(due.school_id), wiring.clock()
    with wiring.database.transaction(scope) as session:
        asking = prepare(session, wiring.vault, due, began_at)
    if asking is None:
        return False
    tally = Tally()
    reason = _walk(_Walk(wiring, make(asking.key), asking, tally))
    with wiring.database.transaction(scope) as session:
        record_asking(session, asking, tally, reason, began_at, wiring.clock())
    if tally.fresh:
        wiring.ring("reconciliation.normalise")
    if reason:
        _log.warning("card feed %s: %s", due.feed_id, reason)
    return not reason


@dataclass(frozen=True, slots=True)
class _Walk:
    """One asking of one feed under way."""

    wiring: Wiring
    client: StripeClient
    asking: CardAsking
    tally: Tally

    def keep(self, rows: Iterable[JsonObject]) -> None:
        """Keep what is news, in a transaction of its own."""
        self.tally.pages += 1
        with self.wiring.database.transaction(Scope.of(self.asking.due.school_id)) as session:
            keep_rows(session, self.wiring.vault, self.asking, self.tally, rows, self.wiring.clock())

    def keep_list(self, path: str, fields: Fields) -> None:
        """Fetch a list and keep what is news, page by page."""
        for page in self.client.pages(path, fields):
            self.keep(read_page(page.fields).rows)


def _walk(this: _Walk) -> str:
    """Do one asking; return why not all of it was told, empty if it was.

    Refunds come behind what Stripe lists: where it answers nothing at all none is tried, and one that it never takes
    holds up nothing.
    """
    reason = ""
    for path, fields in _lists(this.asking.first, this.wiring.clock()):
        try:
            this.keep_list(path, fields)
        except (CardProviderAway, CardKeyRefused) as error:
            return error.message
        except (CardRequestRefused, CallbackUnreadable) as error:
            reason = reason or error.message
    try:
        for page in this.asking.pages:
            _alone(this, page.session_id, partial(_ask_page, this, page))
        for refund in this.asking.refunds:
            _alone(this, refund.intent_id, partial(_send_refund, this, refund))
        _ask_balance(this)
    except (CardProviderAway, CardRequestRefused, CallbackUnreadable) as error:
        return error.message
    return reason


def _lists(first: datetime, now: datetime) -> list[tuple[str, Fields]]:
    """Return what is listed from a moment on: events, movements, and the objects themselves where events are gone.

    A refund or dispute of long before may have changed meanwhile, so these are listed from longer ago.
    """
    since = {"gte": int(first.timestamp())}
    found: list[tuple[str, Fields]] = [
        ("/v1/events", {"created": since, "types": list(EVENTS)}),
        ("/v1/balance_transactions", {"created": since}),
    ]
    if now - first < EVENTS_KEPT:
        return found
    changed = {"gte": int((first - CHANGES_WITHIN).timestamp())}
    return [
        *found,
        ("/v1/charges", {"created": since}),
        ("/v1/refunds", {"created": changed}),
        ("/v1/disputes", {"created": changed}),
        ("/v1/payouts", {"created": changed}),
    ]


def _alone(this: _Walk, what: str, act: Callable[[], None]) -> None:
    """Do one thing; what Stripe does not take, know or answer holds up nothing behind it while it answers at all.

    Raises ``CardKeyRefused`` for a key that is not known, ``CardProviderAway`` where the balance is not told either.
    """
    try:
        act()
    except CardProviderAway as away:
        if not _answers(this):
            raise
        _log.warning("Stripe does not answer about %s: %s", what, away.message)
    except (CardRequestRefused, CallbackUnreadable) as no:
        if isinstance(no, CardRequestRefused) and no.status == HTTPStatus.UNAUTHORIZED:
            raise
        _log.warning("Stripe refuses %s: %s", what, no.message)


def _answers(this: _Walk) -> bool:
    try:
        this.client.balance()
    except CardProviderAway:
        return False
    except (CardRequestRefused, CallbackUnreadable):
        return True
    return True


def _ask_page(this: _Walk, page: AskedPage) -> None:
    """Ask what became of a page; close it first where nobody should pay there any more.

    It ends where it never brings money: its payment failed afterwards, or was put aside and given back at Stripe.
    """
    if page.superfluous:
        try:
            key = closing_key(page.checkout_id, this.wiring.clock())
            this.keep([this.client.expire_session(page.session_id, key).fields])
        except CardKeyRefused:
            raise
        except CardRequestRefused as no:  # it is over already, paid or not: asked below
            _log.info("page %s is not closed: %s", page.session_id, no.message)
        else:
            return
    told: JsonObject = {}
    try:
        told = this.client.session(page.session_id).fields
        this.keep([told])
        over = outcome_of(told) in OVER
    except CardRequestRefused as no:
        if no.status != HTTPStatus.NOT_FOUND or not page.should_be_over:
            raise
        over = True
    if over:
        with this.wiring.database.transaction(Scope.of(this.asking.due.school_id)) as session:
            end_page(session, this.asking.due.school_id, page.checkout_id, told, this.wiring.clock())


def _ask_balance(this: _Walk) -> None:
    """Ask what Stripe holds; a key that may not read it takes nothing else away."""
    asked_at = this.wiring.clock()
    others: tuple[str, ...] = ()
    try:
        dong = this.client.balance()
    except CardRequestRefused as no:
        _log.warning("Stripe does not tell the balance: %s", no.message)
        return
    except OtherMoney as other:
        _log.warning("card feed %s: %s", this.asking.due.feed_id, other.message)
        dong, others = other.dong, other.currencies
    with this.wiring.database.transaction(Scope.of(this.asking.due.school_id)) as session:
        keep_balance(session, this.asking, dong, asked_at, others=others)


def _send_refund(this: _Walk, refund: ToSend) -> None:
    """Send a refund once, whoever was killed before: Stripe forgets keys after a day, but not the refund's mark."""
    found = _marked(this, refund)
    refused = ""
    if not found:
        try:
            with this.wiring.database.transaction(Scope.of(refund.school_id)) as session:
                refuse_disputed(session, refund.school_id, refund.checkout_id)
                refuse_spent_credit(session, refund.school_id, refund.checkout_id)
            told = _refunded(this, refund)
            found = read_refund(told).id
            this.keep([told])
        except (CardKeyRefused, CardProviderAway, CallbackUnreadable):  # Stripe may have done it: asked for again
            raise
        except Refused as no:  # by Stripe, or by us: disputed since it was approved, or its credit used
            refused = no.message
    with this.wiring.database.transaction(Scope.of(refund.school_id)) as session:
        answer_refund(session, refund, this.wiring.clock(), stripe_id=found, refused=refused)


def _marked(this: _Walk, refund: ToSend) -> str:
    """Return Stripe's id of a refund that is there already, or nothing."""
    refunds = this.client.refunds_of(refund.intent_id)
    return next((each.id for each in refunds if each.mark == str(refund.refund_id)), "")


def _refunded(this: _Walk, refund: ToSend) -> JsonObject:
    """Give money back; with another key where Stripe keeps a fault with ours, and would never do it twice.

    What a fault left behind may still come to be (Stripe, "Advanced error handling"). Of a refund that would fit twice
    into its payment the key is kept, so it is sent again a day later, when Stripe has forgotten it.
    """
    mark = str(refund.refund_id)
    try:
        return this.client.refund(refund.intent_id, refund.amount, mark, f"refund-{mark}").fields
    except CardFaultKept:
        if not refund.fits_once or _marked(this, refund):  # there by now: found at the next asking
            raise
    minute = int(this.wiring.clock().timestamp()) // 60
    try:
        return this.client.refund(refund.intent_id, refund.amount, mark, f"refund-{mark}-{minute}").fields
    except CardKeyRefused:
        raise
    except CardRequestRefused as no:  # perhaps since the first one was done: nothing is known of it
        raise CardFaultKept(no.message) from no
