"""Who calls the API, and may they: a token in ``Authorization: Bearer``, its person's roles, one school, no cookies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlmodel import Session
from starlette.responses import Response

from billing.audit.recording import Actor as DeedActor
from billing.errors import NotAllowed, NotFound
from billing.people.tables import School
from service.access import limits
from service.access.errors import PasswordChangeNeeded, ReadOnlyToken, TokenNeeded
from service.access.roles import MATRIX, ROLES, Actor
from service.access.tokens import Bearer, digest_of_token, read_token
from service.api.once import Kept, OnceKey, once
from service.api.opening import Opened
from service.database import Scope, use_scope
from service.pages.guards import address_of, caller_of, parts_of
from service.pages.typed import school_day

MAX_JSON_BYTES = 256 * 1024
JSON = "application/json"
_READING = frozenset({"GET", "HEAD"})
# In whose name something is done, where several roles of one person would do.
_RANKED = (Actor.APPROVER, Actor.ACCOUNTANT, Actor.AUDITOR)

# Only for the OpenAPI document and for reading the header; who may do what is decided below.
_BEARER = HTTPBearer(auto_error=False, description="Khóa làm ở trang “Của tôi” (/toi).")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$"),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request a deed needs: its id, its key and the digest of all that it asks for."""

    request_id: str
    key: str | None
    digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a program that was let in: an open transaction of one school, and the person who acts."""

    opened: Opened
    bearer: Bearer
    role: Actor
    asked: Asked
    now: datetime

    @property
    def session(self) -> Session:
        """The transaction, limited to the school."""
        return self.opened.session

    @property
    def school_id(self) -> UUID:
        """The school's id."""
        return self.bearer.place.id

    @property
    def school(self) -> School:
        """The school's row."""
        return self.session.get_one(School, self.school_id)

    @property
    def user_id(self) -> UUID:
        """The person's id."""
        return self.bearer.who.user_id

    @property
    def actor(self) -> DeedActor:
        """Who acts, for the audit: the person, through this token."""
        via = f"api:{self.bearer.token_id}"
        return DeedActor(self.user_id, self.role.value, self.asked.request_id, via)

    @property
    def today(self) -> date:
        """The day it is in Viet Nam."""
        return school_day(self.now)

    @property
    def language(self) -> str:
        """``en`` when asked for by ``Accept-Language``, else ``vi``."""
        return self.asked.language

    def ring(self, bell: str) -> None:
        """Ring a bell after the commit."""
        self.opened.bells.append(bell)

    def create(self, make: Callable[[], BaseModel]) -> Response:
        """Carry out what creates something, and answer 201; with a key, the same request again gets the same answer."""
        if self.asked.key is None:
            return _answer(_kept(make()), replayed=False)
        key = OnceKey(self.bearer.token_id, self.school_id, self.asked.key, self.asked.digest)
        answer, replayed = once(self.session, self.opened.wiring.vault, key, self.now, lambda: _kept(make()))
        return _answer(answer, replayed=replayed)


def _kept(made: BaseModel) -> Kept:
    return Kept(201, made.model_dump_json().encode())


def _answer(kept: Kept, *, replayed: bool) -> Response:
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return Response(kept.content, status_code=kept.status, media_type=JSON, headers=headers)


async def asked_of(request: Request, key: Key = None) -> Asked:
    """Read what a deed needs of a request; the body was read within the route's limit and is at hand."""
    whole = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    whole.update(await request.body())
    language = "en" if request.headers.get("accept-language", "").lower().startswith("en") else "vi"
    return Asked(caller_of(request).request_id, key, whole.digest(), language)


def open_call(request: Request, credentials: Credentials, asked: Annotated[Asked, Depends(asked_of)]) -> Iterator[Call]:
    """Open the one transaction of a request for whom a token lets in; a failed commit is a 500."""
    parts = parts_of(request)
    with parts.open_api() as opened:
        now = parts.clock()
        bearer = _bearer(request, opened.session, credentials, now)
        role = _let_in(request, bearer)
        use_scope(opened.session, Scope.of(bearer.place.id))
        yield Call(opened, bearer, role, asked, now)


Calling = Annotated[Call, Depends(open_call, scope="function")]


def bearer_of(session: Session, header: str, now: datetime) -> Bearer | None:
    """Return who is behind an ``Authorization`` header, for what is written down about a refusal."""
    scheme, _, token = header.partition(" ")
    digest = digest_of_token(token.strip()) if scheme.lower() == "bearer" else None
    return None if digest is None else read_token(session, digest, now)


def _bearer(
    request: Request, session: Session, credentials: HTTPAuthorizationCredentials | None, now: datetime
) -> Bearer:
    limiter, address = parts_of(request).limiter, address_of(request)
    limiter.refuse_spent(limits.WRONG_TOKENS, address)
    digest = digest_of_token(credentials.credentials) if credentials else None
    bearer = None if digest is None else read_token(session, digest, now)
    if bearer is None:
        if credentials is not None:
            limiter.spend(limits.WRONG_TOKENS, address)
        raise TokenNeeded
    limiter.spend(limits.API, str(bearer.token_id))
    return bearer


def _let_in(request: Request, bearer: Bearer) -> Actor:
    """Return the role in which the person acts; raises ``NotFound`` for another school, ``NotAllowed`` for a deed."""
    if bearer.who.must_change_password:
        raise PasswordChangeNeeded
    school = request.path_params.get("school")
    if school is not None and school != bearer.place.code:
        raise NotFound("Không có trường này trong quyền của khóa.")
    if bearer.read_only and request.method not in _READING:
        raise ReadOnlyToken
    allowed = MATRIX[(request.method, request.scope["route"].path_format)] & ROLES
    held = bearer.who.roles_in(bearer.place) & allowed
    if not held:
        raise NotAllowed("Tài khoản này không có quyền làm việc đó.")
    return next((role for role in _RANKED if role in held), min(held))
