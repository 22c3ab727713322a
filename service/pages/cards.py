"""Card payments: the family's way to Stripe's page and back, and the office's page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import RedirectResponse, Response

from service.access import limits, links, sessions
from service.access.errors import LinkUnknown
from service.access.roles import MATRIX
from service.front import policy
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, address_of, caller_of, parts_of
from service.pages.parent import LinkDigest
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean
from service.pages.visitor_forms import OwnForm, visitor_page

OFFICE = "/van-phong/the"
paying = APIRouter(prefix="/t/{token}/the", max_body_size=MAX_FORM_BYTES)
returning = APIRouter(prefix="/the", max_body_size=MAX_FORM_BYTES)
router = APIRouter(prefix=OFFICE, max_body_size=MAX_FORM_BYTES)

_BACK_WITHIN = timedelta(hours=2)
Text = Annotated[str, Form(max_length=300)]
Short = Annotated[str, Form(max_length=40)]
Ids = Annotated[Sequence[Annotated[str, StringConstraints(max_length=255)]], Form(max_length=40)]
StripeId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
"""What ids at Stripe are made of, and then some: they are opaque."""
_SAID = {
    "de-nghi": ("Đã ghi đề nghị, chờ người khác duyệt.", "Asked for; another person decides."),
    "duyet": ("Đã duyệt.", "Approved."),
    "khong": ("Đã ghi: không làm.", "Stored: it is not done."),
    "gan": ("Khoản chi trả đã gắn với tiền vào ngân hàng.", "The payout is tied to the bank's transfer."),
}


def _unknown(request: Request) -> LinkUnknown:
    parts_of(request).limiter.spend(limits.WRONG_LINKS, address_of(request))
    return LinkUnknown()


@paying.get("")
def offer(request: Request, token: str, digest: LinkDigest, desk: OpenDesk) -> Response:
    """Show what would be paid by card and what it costs, before anybody leaves us."""
    parts = parts_of(request)
    view = desk.card_offer(digest, token, parts.clock())
    if view is None:
        raise _unknown(request)
    answer = visitor_page(request, "card.html", offer=view)
    # A form's policy holds for the redirect that answers it, so the provider's page is named here and nowhere else.
    answer.headers["Content-Security-Policy"] = policy(form_to=parts.card_origin)
    return answer


@paying.post("")
def pay(request: Request, token: str, digest: LinkDigest, form: OwnForm) -> Response:
    """Write the checkout, commit, ask Stripe for its page, and send the family there."""
    del form
    parts = parts_of(request)
    with parts.open_desk(caller_of(request)) as desk:
        order = desk.begin_card(digest, parts.clock())
    if order is None:
        raise _unknown(request)
    if order.asks_provider:
        parts.limiter.spend(limits.CARD_PAGES, digest.hex())
    answer = RedirectResponse(parts.open_card_page(order), status_code=303)
    cookie = sessions.card_cookie(order.checkout_id, production=parts.production)
    answer.headers.append("set-cookie", cookie.header(token, max_age=_BACK_WITHIN))
    return answer


@returning.get("/{outcome}")
def back(request: Request, outcome: Literal["xong", "thoi"], lan: UUID | None = None) -> Response:
    """Lead a browser that comes from Stripe back to its bill (``lan``: the payment); Stripe is never told the link."""
    parts = parts_of(request)
    cookie = sessions.card_cookie(lan or UUID(int=0), production=parts.production)
    token = request.cookies.get(cookie.name, "")
    if not links.looks_like_token(token):
        return page(request, "card_back.html", paid=outcome == "xong")
    return RedirectResponse(f"/t/{token}?the={outcome}", status_code=303)


@router.get("")
def cards(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    da: Annotated[str, Query(max_length=20)] = "",
    truoc: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """Show switches, payments (older ones ``truoc`` one of them), refunds, disputes and payouts."""
    now = parts_of(request).clock()
    found = desk.cards(visit.who, visit.place, truoc, now)
    return page(request, "cards.html", visit=visit, found=found, now=now, said=_SAID.get(da), **_may(visit))


@router.post("/bat-tat/{account_id}")
def ask_switch(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, account_id: UUID, bat: Short = "", ly_do: Text = ""
) -> Response:
    """Ask to take cards for the bills of an account, or to stop."""
    now = parts_of(request).clock()
    desk.ask_card_switch(visit.who, visit.place, account_id, clean(ly_do), now, turn_on=bat == "1")
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/bat-tat/{switch_id}/duyet")
def approve_switch(request: Request, visit: StaffVisit, desk: OpenDesk, switch_id: UUID) -> Response:
    """Agree to what another person asked for."""
    now = parts_of(request).clock()
    desk.decide_card_switch(visit.who, visit.place, switch_id, "", now, approved=True)
    return go_to(visit.place, OFFICE, da="duyet")


@router.post("/bat-tat/{switch_id}/tu-choi")
def refuse_switch(request: Request, visit: StaffVisit, desk: OpenDesk, switch_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own back."""
    now = parts_of(request).clock()
    desk.decide_card_switch(visit.who, visit.place, switch_id, clean(ly_do), now, approved=False)
    return go_to(visit.place, OFFICE, da="khong")


@router.post("/nop/{checkout_id}/hoan")
def ask_refund(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, checkout_id: UUID, so_tien: Short = "", ly_do: Text = ""
) -> Response:
    """Ask to give money back to a card."""
    desk.ask_card_refund(visit.who, visit.place, checkout_id, so_tien, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/hoan/{refund_id}/duyet")
def approve_refund(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID) -> Response:
    """Give money back that another person asked for."""
    now = parts_of(request).clock()
    desk.decide_card_refund(visit.who, visit.place, refund_id, "", now, approved=True)
    return go_to(visit.place, OFFICE, da="duyet")


@router.post("/hoan/{refund_id}/tu-choi")
def refuse_refund(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own back."""
    now = parts_of(request).clock()
    desk.decide_card_refund(visit.who, visit.place, refund_id, clean(ly_do), now, approved=False)
    return go_to(visit.place, OFFICE, da="khong")


@router.post("/chi-tra/{payout_id}")
def tie_payout(  # noqa: PLR0913, PLR0917  as above
    request: Request, visit: StaffVisit, desk: OpenDesk, payout_id: StripeId, giao_dich: Short = "", ly_do: Text = ""
) -> Response:
    """Tie a payout to the bank's transfer that brought it, or ask another person to agree."""
    now = parts_of(request).clock()
    tied = desk.tie_card_payout(visit.who, visit.place, payout_id, giao_dich, clean(ly_do), now)
    return go_to(visit.place, OFFICE, da="gan" if tied else "de-nghi")


@router.post("/chi-tra/{payout_id}/go")
def untie_payout(
    request: Request, visit: StaffVisit, desk: OpenDesk, payout_id: StripeId, ly_do: Text = ""
) -> Response:
    """Ask that a payout and the bank's transfer be taken apart again."""
    desk.ask_card_untie(visit.who, visit.place, payout_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/chi-tra-gop")
def tie_several(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, khoan: Ids = (), giao_dich: Ids = (), ly_do: Text = ""
) -> Response:
    """Ask to tie one payout to several transfers, or several payouts to one transfer."""
    now = parts_of(request).clock()
    desk.ask_card_several(visit.who, visit.place, khoan, giao_dich, clean(ly_do), now)
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/trang/{page_id}")
def end_page(request: Request, visit: StaffVisit, desk: OpenDesk, page_id: StripeId, ly_do: Text = "") -> Response:
    """Ask to end a page of which nothing more is to be heard."""
    desk.ask_card_page_end(visit.who, visit.place, page_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/bien-dong/{movement_id}")
def explain(request: Request, visit: StaffVisit, desk: OpenDesk, movement_id: StripeId, ly_do: Text = "") -> Response:
    """Ask to take a movement of Stripe's balance for a cost."""
    desk.ask_card_explain(visit.who, visit.place, movement_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/bien-dong/{movement_id}/nap")
def top_up(request: Request, visit: StaffVisit, desk: OpenDesk, movement_id: StripeId, ly_do: Text = "") -> Response:
    """Ask to take money that came to Stripe for the school's own."""
    desk.ask_card_top_up(visit.who, visit.place, movement_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/so-du/{account_id}")
def opening(request: Request, visit: StaffVisit, desk: OpenDesk, account_id: UUID, ly_do: Text = "") -> Response:
    """Ask to take what Stripe holds beside all that is known for what it held before."""
    desk.ask_card_opening(visit.who, visit.place, account_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, OFFICE, da="de-nghi")


@router.post("/viec/{act_id}/duyet")
def approve_act(request: Request, visit: StaffVisit, desk: OpenDesk, act_id: UUID) -> Response:
    """Agree to what another person asked for about payouts and movements."""
    desk.decide_card_act(visit.who, visit.place, act_id, "", parts_of(request).clock(), approved=True)
    return go_to(visit.place, OFFICE, da="duyet")


@router.post("/viec/{act_id}/tu-choi")
def refuse_act(request: Request, visit: StaffVisit, desk: OpenDesk, act_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own back."""
    desk.decide_card_act(visit.who, visit.place, act_id, clean(ly_do), parts_of(request).clock(), approved=False)
    return go_to(visit.place, OFFICE, da="khong")


def _may(visit: Visit) -> dict[str, bool]:
    """Return which acts the matrix opens here."""
    acts = {
        "asks": "/bat-tat/{account_id}",
        "decides": "/bat-tat/{switch_id}/duyet",
        "refuses": "/bat-tat/{switch_id}/tu-choi",
    }
    return {name: bool(MATRIX["POST", f"{OFFICE}{path}"] & visit.roles) for name, path in acts.items()}
