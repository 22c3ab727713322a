"""The desk of card payments on rows, and what asks Stripe for a page while no transaction is open."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

import httpx

from billing.errors import Refused
from billing.payments.tables import PaymentRequest
from billing.people.names import masked
from billing.people.tables import Pupil, School
from reconciliation.cards.acting import ask_untie, decide_act, tie_payout
from reconciliation.cards.checking_out import (
    HEARD_WITHIN,
    OPEN_FOR,
    begin_checkout,
    beside,
    closing_key,
    idempotency_key,
    keep_session,
    older_pages,
    returned,
    url_of,
)
from reconciliation.cards.client import FAMILIES, StripeClient, Wanted
from reconciliation.cards.ending import end_page
from reconciliation.cards.errors import (
    CardKeyRefused,
    CardNotNow,
    CardPageNotOpened,
    CardProviderAway,
    CardRequestRefused,
    CardsOff,
    CardSumChanged,
)
from reconciliation.cards.explaining import ask_explain, ask_opening, ask_top_up
from reconciliation.cards.objects import Session, read_session
from reconciliation.cards.outcomes import OVER, Outcome, Returned, outcome_of
from reconciliation.cards.page_acts import ask_end
from reconciliation.cards.refunding import ask_refund, decide_refund
from reconciliation.cards.several import ask_several
from reconciliation.cards.switching import ask_switch, card_feeds, decide_switch
from reconciliation.cards.tables import CardCheckout
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.json_body import JsonObject
from reconciliation.feeds.opening import secrets_of
from reconciliation.lists.base import LIST
from service.access import links
from service.access.roles import Actor, Place, SignedIn
from service.channels import trusted
from service.database import Scope
from service.pages import card_rows, family_rows
from service.pages.card_views import CardOffer, CardOrder, CardPage, OpenCardPage
from service.pages.card_waiting import cards_in_menu
from service.pages.typed import read_id, read_money
from service.pages.views import PAYABLE
from service.pages.within import RowsWithin
from service.wiring import Wiring

_log = logging.getLogger(__name__)
_TIMEOUT = httpx.Timeout(6.0, connect=3.0)  # a family waits for it
MOST_WAITING = 8
"""So many wait for Stripe at once in one process. It has 40 threads: a Stripe that hangs must leave most of them."""
_NOT_OPENED = (
    "Chưa mở được trang trả thẻ: nhà cung cấp thẻ không trả lời hoặc từ chối, gia đình chưa bị trừ tiền. "
    "Xin chuyển khoản theo mã trên trang thông báo."
)
_MANY_WAIT = (
    "Nhà cung cấp thẻ đang trả lời chậm, nhiều gia đình đang chờ, nên chưa mở trang trả thẻ. "
    "Xin chuyển khoản theo mã trên trang thông báo nếu chưa trả bằng thẻ, hoặc thử lại sau ít phút."
)
_OLDER_UNKNOWN = (
    "Chưa mở được trang trả thẻ: nhà cung cấp thẻ không trả lời hoặc từ chối. Nếu chưa trả bằng thẻ, xin chuyển khoản "
    "theo mã trên trang thông báo; nếu vừa trả ở một lần mở trước, xin chờ trang đó báo kết quả."
)
_CHANGED = (
    "Số tiền cần nộp vừa thay đổi nên chưa mở trang trả thẻ; gia đình chưa bị trừ tiền. Xin mở lại trang thông báo."
)
_PAID_ALREADY = "Một lần trả thẻ trước cho thông báo này đã xong và đang được ghi nhận. Xin đừng trả lần nữa."
_PUT_ASIDE = (
    "Một lần trả thẻ trước cho thông báo này đã xong ở nhà cung cấp thẻ, nhưng chưa ghi được vào sổ của nhà trường. "
    "Xin gọi nhà trường để được ghi nhận hoặc hoàn tiền; xin đừng trả lần nữa khi chưa hỏi."
)
_PENDING = (
    "Một lần trả thẻ trước cho thông báo này đang chờ ngân hàng của gia đình xác nhận, có thể mất vài ngày. "
    "Xin đừng trả lần nữa trong lúc chờ."
)
_OFF = "Thông báo này không trả bằng thẻ được. Xin chuyển khoản theo mã trên trang."
_NOTHING_DUE = "Thông báo này không còn gì phải nộp bằng thẻ."
_ON_ITS_WAY = (
    "Một khoản tiền cho thông báo này đã đến và đang được kiểm tra, nên chưa trả bằng thẻ được. "
    "Xin chờ nhà trường xem xong."
)


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

    def card_returned(self, link_digest: bytes, now: datetime) -> Returned:
        """Return what a family that comes back from Stripe's page is told."""
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return Returned.NOTHING
        return returned(self._session, self._session.get_one(PaymentRequest, link.request_id), now)

    def begin_card(self, link_digest: bytes, now: datetime) -> CardOrder | None:
        """Write a checkout, or find the open one."""
        opened = self._payable(link_digest, now)
        if opened is None:
            return None
        checkout = begin_checkout(self._session, opened.request, opened.asked, now)
        older = older_pages(self._session, checkout)
        return CardOrder(
            checkout_id=checkout.id,
            school_id=checkout.school_id,
            account_id=checkout.bank_account_id,
            amount=checkout.amount,
            name=card_rows.order_name(opened.request.reference),
            expires_at=checkout.expires_at,
            url=url_of(self._session, checkout.id),
            older=tuple((page.checkout_id, page.session_id) for page in older),
        )

    def cards(self, who: SignedIn, place: Place, before: int, now: datetime) -> CardPage:
        """Return the cards of a school."""
        return card_rows.card_page(self._within(place), self._wiring.vault, place.id, who.user_id, before, now)

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

    def tie_card_payout(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, payout_id: str, transfer_id: str, reason: str, now: datetime
    ) -> bool:
        """Tie a payout to the bank's transfer; False where another person has to agree first."""
        if not transfer_id:
            raise Refused("Hãy chọn giao dịch tiền vào của khoản chi trả này.")
        actor, chosen = self._actor(who, Actor.ACCOUNTANT), read_id(transfer_id)
        return (
            tie_payout(self._within(place), self._wiring.vault, actor, place.id, payout_id, chosen, reason, now) is None
        )

    def ask_card_untie(self, who: SignedIn, place: Place, payout_id: str, reason: str, now: datetime) -> None:
        """Ask that a tie be undone."""
        ask_untie(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, payout_id, reason, now)

    def ask_card_explain(self, who: SignedIn, place: Place, movement_id: str, reason: str, now: datetime) -> None:
        """Ask to take a movement of Stripe's for a cost."""
        ask_explain(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, movement_id, reason, now)

    def ask_card_top_up(self, who: SignedIn, place: Place, movement_id: str, reason: str, now: datetime) -> None:
        """Ask to take money that came to Stripe for the school's own."""
        ask_top_up(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, movement_id, reason, now)

    def ask_card_opening(self, who: SignedIn, place: Place, account_id: UUID, reason: str, now: datetime) -> None:
        """Ask to take what Stripe holds beside all that is known for what it held before."""
        ask_opening(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, account_id, reason, now)

    def decide_card_act(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, act_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree to what another person asked for, which carries it out, or say no."""
        actor = self._looks(who, place)
        decide_act(self._within(place), actor, place.id, act_id, now, approved=approved, reason=reason)

    def ask_card_several(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, payouts: Sequence[str], transfers: Sequence[str], reason: str, now: datetime
    ) -> None:
        """Ask to tie one payout to several transfers, or several payouts to one."""
        actor, chosen = self._actor(who, Actor.ACCOUNTANT), {read_id(each) for each in transfers}
        ask_several(self._within(place), actor, place.id, set(payouts), chosen, reason, now)

    def ask_card_page_end(self, who: SignedIn, place: Place, page_id: str, reason: str, now: datetime) -> None:
        """Ask to end a page of which nothing more is to be heard."""
        ask_end(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, page_id, reason, now)

    def cards_in_menu(self, place: Place, now: datetime) -> int:
        """Count what of a school's cards waits for a person; the transaction sees what it saw before."""
        with self._within_for_a_while(place) as session:
            return cards_in_menu(session, place.id, now)

    def _payable(self, link_digest: bytes, now: datetime) -> family_rows.Opened | None:
        """Return the request behind a link; raises ``CardsOff`` where it cannot be paid by card, or not now."""
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        opened = family_rows.open_request(self._session, link, now)
        if not card_rows.may_pay_by_card(self._session, opened):
            if opened.state not in PAYABLE:
                raise CardNotNow(_NOTHING_DUE)
            raise CardNotNow(_ON_ITS_WAY) if opened.received.on_the_way else CardsOff(_OFF)
        return opened


def card_page_opener(wiring: Wiring) -> OpenCardPage:
    """Return what asks Stripe for the page of an order and keeps it; the order's row is committed by then.

    Nobody queues for it: whoever finds ``MOST_WAITING`` of this process waiting for Stripe is told so at once.
    """
    places = threading.BoundedSemaphore(MOST_WAITING)

    def open_page(order: CardOrder) -> str:
        if order.url is not None and not order.older:
            return order.url
        if not places.acquire(blocking=False):
            _log.warning("no card page for checkout %s: %d wait for Stripe", order.checkout_id, MOST_WAITING)
            raise CardPageNotOpened(_MANY_WAIT)
        try:
            return _opened(wiring, order)
        except (CardProviderAway, CardRequestRefused, CallbackUnreadable) as no:
            _log.warning("no card page for checkout %s: %s", order.checkout_id, no.message)
            raise CardPageNotOpened(_OLDER_UNKNOWN if order.older else _NOT_OPENED) from no
        finally:
            places.release()

    return open_page


def _opened(wiring: Wiring, order: CardOrder) -> str:
    """Close older pages of the request, then make the page of an order unless there is one; one is open in the end."""
    key = _api_key(wiring, order)
    with httpx.Client(timeout=_TIMEOUT, verify=trusted(), follow_redirects=False) as http:
        client = StripeClient(http, wiring.settings.stripe_api_base, key, time.sleep, random.random, FAMILIES)
        _close_all(wiring, client, order, order.older)
        if order.url is not None:
            return order.url
        made = client.open_session(_wanted(wiring, order), idempotency_key(order.checkout_id))
        if not made.url.startswith(f"{wiring.settings.stripe_page_origin}/"):
            _log.warning("the card page of checkout %s lies elsewhere", order.checkout_id)
            raise CardPageNotOpened(_NOT_OPENED)
        _keep_alone(wiring, client, order, made)
        return made.url


def _keep_alone(wiring: Wiring, client: StripeClient, order: CardOrder, made: Session) -> None:
    """Keep a page and close those that were opened beside it; it is closed itself where that cannot be, or less is due.

    Nobody was given it yet. Raises ``CardSumChanged`` where the sum has changed, else what ``_close`` raises.
    """
    with wiring.database.transaction(Scope.of(order.school_id)) as session:
        checkout = session.get_one(CardCheckout, order.checkout_id)
        keep_session(session, checkout, made, wiring.clock())
        found = beside(session, checkout)
    mine = ((order.checkout_id, made.id),)
    if found.superfluous:
        _close_all(wiring, client, order, mine)
        raise CardSumChanged(_CHANGED)
    try:
        _close_all(wiring, client, order, tuple((page.checkout_id, page.session_id) for page in found.others))
    except Refused:
        _close_all(wiring, client, order, mine)
        raise


def _close_all(wiring: Wiring, client: StripeClient, order: CardOrder, pages: tuple[tuple[UUID, str], ...]) -> None:
    for checkout_id, session_id in pages:
        told = _close(client, checkout_id, session_id, wiring.clock())
        if told is not None:
            with wiring.database.transaction(Scope.of(order.school_id)) as session:
                end_page(session, order.school_id, checkout_id, told, wiring.clock())


def _close(client: StripeClient, checkout_id: UUID, session_id: str, now: datetime) -> JsonObject | None:
    """Close a page; return it as Stripe tells it, which is over, or None for one of another key: it takes no money.

    Over is also one whose payment failed afterwards, or was given back at Stripe.
    Raises ``CardNotNow`` where somebody has paid there, ``CardPageNotOpened`` where Stripe leaves it open.
    """
    try:
        return client.expire_session(session_id, closing_key(checkout_id, now)).fields
    except CardKeyRefused:
        raise
    except CardRequestRefused as no:
        if no.status == HTTPStatus.NOT_FOUND:
            return None
        fields = client.session(session_id).fields
        outcome = outcome_of(fields)
        if outcome is Outcome.OPEN:
            _log.warning("Stripe leaves the page of checkout %s open: %s", checkout_id, no.message)
            raise CardPageNotOpened(_NOT_OPENED) from no
        if outcome not in OVER:
            raise CardNotNow(_not_yet(outcome, read_session(fields), now)) from no
        return fields


def _not_yet(outcome: Outcome, page: Session, now: datetime) -> str:
    """Return why a page that is complete and not booked lets nobody pay again; after its time that needs a person."""
    if outcome is Outcome.PENDING:
        return _PENDING
    return _PAID_ALREADY if now <= page.created + OPEN_FOR + HEARD_WITHIN else _PUT_ASIDE


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
        success_url=f"{base}/the/xong?lan={order.checkout_id}",
        cancel_url=f"{base}/the/thoi?lan={order.checkout_id}",
        expires_at=order.expires_at,
        language="auto",
    )
