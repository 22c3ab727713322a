"""The desk of card payments on rows, and what asks Stripe for a page while no transaction is open."""

from __future__ import annotations

import random
import time
from datetime import datetime
from uuid import UUID

import httpx

from billing.people.names import masked
from billing.people.tables import Pupil, School
from reconciliation.cards.checking_out import begin_checkout, idempotency_key, keep_session, url_of
from reconciliation.cards.client import StripeClient, Wanted
from reconciliation.cards.errors import CardProviderAway, CardsOff
from reconciliation.cards.payouts import tie_payout
from reconciliation.cards.refunding import ask_refund, decide_refund
from reconciliation.cards.switching import ask_switch, card_feeds, decide_switch
from reconciliation.cards.tables import CardCheckout
from reconciliation.feeds.opening import secrets_of
from reconciliation.lists.base import LIST
from service.access import links
from service.access.roles import Actor, Place, SignedIn
from service.channels import trusted
from service.database import Scope
from service.pages import card_rows, family_rows
from service.pages.card_views import CardOffer, CardOrder, CardPage, OpenCardPage
from service.pages.typed import read_money
from service.pages.within import RowsWithin
from service.wiring import Wiring

_TIMEOUT = httpx.Timeout(8.0, connect=4.0)  # a family waits for it
_OFF = "Thông báo này không trả bằng thẻ được. Xin chuyển khoản theo mã trên trang."


class CardRows(RowsWithin):
    """Card payments of families and of the office, answered from rows."""

    def card_offer(self, link_digest: bytes, token: str, now: datetime) -> CardOffer | None:
        """Return what may be paid by card."""
        opened = self._payable(link_digest, now)
        if opened is None:
            return None
        school = self._session.get_one(School, opened.request.school_id)
        pupil = self._session.get_one(Pupil, opened.request.pupil_id)
        title = family_rows.notice_title(opened.live)
        return CardOffer(token, school.name, masked(pupil.full_name), title, opened.asked)

    def begin_card(self, link_digest: bytes, now: datetime) -> CardOrder | None:
        """Write a checkout, or find the open one."""
        opened = self._payable(link_digest, now)
        if opened is None:
            return None
        checkout = begin_checkout(self._session, opened.request, opened.asked, now)
        return CardOrder(
            checkout_id=checkout.id,
            school_id=checkout.school_id,
            account_id=checkout.bank_account_id,
            amount=checkout.amount,
            name=card_rows.order_name(opened.request.reference),
            expires_at=checkout.expires_at,
            url=url_of(self._session, checkout.id),
        )

    def cards(self, who: SignedIn, place: Place, now: datetime) -> CardPage:
        """Return the cards of a school."""
        del now
        return card_rows.card_page(self._within(place), place.id, who.user_id)

    def ask_card_switch(  # noqa: PLR0913  an act of a person with its facts
        self, who: SignedIn, place: Place, account_id: UUID, reason: str, now: datetime, *, turn_on: bool
    ) -> None:
        """Ask to take cards, or to stop."""
        actor = self._actor(who, Actor.ACCOUNTANT)
        ask_switch(self._within(place), actor, place.id, account_id, reason, now, turn_on=turn_on)

    def decide_card_switch(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, switch_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree or say no."""
        actor = self._looks(who, place)
        decide_switch(self._within(place), actor, place.id, switch_id, now, approved=approved, reason=reason)

    def ask_card_refund(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, checkout_id: UUID, amount: str, reason: str, now: datetime
    ) -> None:
        """Ask to give money back to a card."""
        actor = self._actor(who, Actor.ACCOUNTANT)
        ask_refund(self._within(place), actor, place.id, checkout_id, read_money(amount), reason, now)

    def decide_card_refund(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, refund_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree or say no; an approved refund is sent at once."""
        actor = self._looks(who, place)
        decide_refund(self._within(place), actor, place.id, refund_id, now, approved=approved, reason=reason)
        if approved:
            self.bells.append("reconciliation.cards")

    def tie_card_payout(self, who: SignedIn, place: Place, payout_id: str, transfer_id: UUID, now: datetime) -> None:
        """Tie a payout to the bank's transfer."""
        actor = self._actor(who, Actor.ACCOUNTANT)
        tie_payout(self._within(place), actor, place.id, payout_id, transfer_id, now)

    def _payable(self, link_digest: bytes, now: datetime) -> family_rows.Opened | None:
        """Return the request behind a link; raises ``CardsOff`` where it cannot be paid by card."""
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        opened = family_rows.open_request(self._session, link, now)
        if not card_rows.may_pay_by_card(self._session, opened):
            raise CardsOff(_OFF)
        return opened


def card_page_opener(wiring: Wiring) -> OpenCardPage:
    """Return what asks Stripe for the page of an order and keeps it; the order's row is committed by then."""

    def open_page(order: CardOrder) -> str:
        if order.url is not None:
            return order.url
        key = _api_key(wiring, order)
        with httpx.Client(timeout=_TIMEOUT, verify=trusted(), follow_redirects=False) as http:
            client = StripeClient(http, wiring.settings.stripe_api_base, key, time.sleep, random.random)
            made = client.open_session(_wanted(wiring, order), idempotency_key(order.checkout_id))
        if not made.url.startswith(f"{wiring.settings.stripe_page_origin}/"):
            raise CardProviderAway("Nhà cung cấp thẻ chưa mở được trang trả tiền. Xin thử lại hoặc chuyển khoản.")
        with wiring.database.transaction(Scope.of(order.school_id)) as session:
            keep_session(session, session.get_one(CardCheckout, order.checkout_id), made, wiring.clock())
        return made.url

    return open_page


def _api_key(wiring: Wiring, order: CardOrder) -> str:
    with wiring.database.transaction(Scope.of(order.school_id)) as session:
        feed = card_feeds(session, order.school_id, order.account_id).get(LIST)
        if feed is None:
            raise CardsOff(_OFF)
        return secrets_of(feed, wiring.vault)[0]


def _wanted(wiring: Wiring, order: CardOrder) -> Wanted:
    """Return what Stripe is told: made from the row alone, so that the same key always brings the same form."""
    base = wiring.settings.base_url
    return Wanted(
        checkout=str(order.checkout_id),
        amount=order.amount,
        name=order.name,
        success_url=f"{base}/the/xong",
        cancel_url=f"{base}/the/thoi",
        expires_at=order.expires_at,
        language="auto",
    )
