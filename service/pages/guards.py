"""Who is knocking, and may they: what every route depends on before it does anything."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, cast

from fastapi import Depends, Request

from billing.errors import NotAllowed, NotFound
from service.access import csrf, sessions
from service.access.errors import PasswordChangeNeeded, SignInNeeded
from service.access.roles import MATRIX, ROLES, Actor, Place, SignedIn
from service.pages.desk import Caller, Desk, WebParts
from service.pages.menu import CARDS, Entry, menu_for

PLACE_PARAMETER = "truong"
# Forms are small; uploads have their own, larger door.
MAX_FORM_BYTES = 64 * 1024
_WITH_ONE_TIME_PASSWORD = ("/doi-mat-khau", "/dang-xuat")


@dataclass(frozen=True, slots=True)
class Visit:
    """A member of staff on one page: who, in which place, where else it could be, and the form token.

    ``counts``: how much waits on a page of the menu, by its address.
    """

    who: SignedIn
    place: Place
    places: tuple[Place, ...]
    csrf: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def roles(self) -> frozenset[Actor]:
        """The roles that hold in this place."""
        return self.who.roles_in(self.place)

    @property
    def menu(self) -> tuple[Entry, ...]:
        """The pages that these roles may open here, as the matrix says."""
        return menu_for(self.roles)


def parts_of(request: Request) -> WebParts:
    """Return what this web was built from."""
    return cast("WebParts", request.state.parts)


def address_of(request: Request) -> str:
    """Return the real peer address; forwarded headers are believed by the server only, if configured."""
    return request.client.host if request.client else "?"


def own_origin(request: Request) -> str:
    """Return our own scheme, host and port as a browser writes it in ``Origin``."""
    parts = parts_of(request)
    return parts.origin or f"{request.url.scheme}://{request.url.netloc}"


def open_desk(request: Request) -> Iterator[Desk]:
    """Open the one transaction of a request. Use with ``scope="function"``: a failed commit is then a 500."""
    with parts_of(request).open_desk(caller_of(request)) as desk:
        yield desk


def caller_of(request: Request) -> Caller:
    """Return where a request comes from, and its id."""
    return Caller(address_of(request), str(request.scope.get("state", {}).get("request_id", "")))


OpenDesk = Annotated[Desk, Depends(open_desk, scope="function")]


async def form_token(request: Request) -> str | None:
    """Return the form token that came with an unsafe request, from header or field."""
    if request.method in csrf.SAFE_METHODS:
        return None
    from_header = request.headers.get(csrf.HEADER)
    if from_header is not None:
        return from_header
    value = (await request.form()).get(csrf.FIELD)
    return value if isinstance(value, str) else None


FormToken = Annotated[str | None, Depends(form_token, scope="function")]


def session_digest(request: Request) -> bytes | None:
    """Return the digest of the session cookie, if there is one that could be ours."""
    cookie = sessions.session_cookie(production=parts_of(request).production)
    return sessions.digest_of_cookie(request.cookies.get(cookie.name))


def staff_visit(request: Request, desk: OpenDesk, token: FormToken) -> Visit:
    """Let in who is signed in, holds a role of this route's row in the matrix, and sent our own form."""
    parts = parts_of(request)
    digest = session_digest(request)
    who = desk.signed_in(digest, parts.clock()) if digest is not None else None
    if digest is None or who is None:
        raise SignInNeeded
    if who.must_change_password and request.url.path not in _WITH_ONE_TIME_PASSWORD:
        raise PasswordChangeNeeded
    if request.method not in csrf.SAFE_METHODS:
        csrf.refuse_forged(parts.secret, digest, token, request.headers, own_origin(request))
    allowed = MATRIX[(request.method, request.scope["route"].path_format)] & ROLES
    if not who.roles & allowed:
        raise NotAllowed("Tài khoản này không có quyền mở trang đó.")
    places = who.places(allowed)
    place = _place(places, request.query_params.get(PLACE_PARAMETER))
    visit = Visit(who, place, places, csrf.make_token(parts.secret, digest))
    if request.method != "GET" or all(entry.path != CARDS for entry in visit.menu):
        return visit
    waits = desk.cards_in_menu(place, parts.clock())
    return replace(visit, counts={CARDS: waits}) if waits else visit


StaffVisit = Annotated[Visit, Depends(staff_visit, scope="function")]


def _place(places: tuple[Place, ...], code: str | None) -> Place:
    if code is None:
        return places[0]
    for place in places:
        if place.code == code:
            return place
    raise NotFound("Không có trường này trong quyền của tài khoản.")


def visitor(request: Request) -> tuple[str, bool]:
    """Return the random value that binds the sign-in form to this browser, and whether it is new."""
    cookie = sessions.visitor_cookie(production=parts_of(request).production)
    value = request.cookies.get(cookie.name)
    if sessions.digest_of_cookie(value) is not None and value is not None:
        return value, False
    return secrets.token_urlsafe(32), True
