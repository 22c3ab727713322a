"""The bank's door (raw ASGI): verify a callback on its raw bytes, store it, commit, and only then answer.

It reads nothing but the signature. Callbacks that arrive together are stored in one statement and one commit; while
that is written, the next ones gather (no waiting window). If one row of a group is refused, each is tried alone, so
that it harms no other. The answer is the provider's own, the same for new, known, unknown and outgoing. When the
database is away the answer is 503 and the provider comes again; when the broker is away nothing changes here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from starlette.types import Receive, Scope, Send

from billing.errors import HocphiError
from reconciliation.errors import CallbackRefused
from reconciliation.feeds.base import MAX_BODY_BYTES, STATEMENT, Answer, RawHeaders
from reconciliation.feeds.opening import path_hash, reader_of
from reconciliation.inbox import BODY_CONTEXT, digest_of
from reconciliation.lists.base import LIST
from reconciliation.tables import Feed
from service.database import EVERYTHING, libpq_url
from service.front import CALLBACK_PREFIX
from service.packing import BYTEA_TYPE, TEXT_TYPE, TIMESTAMPTZ_TYPE, UUID_TYPE, moment, pack, register
from service.patience import Patience
from service.watching import ADDRESS, SIGNATURE, Refusals, Watched, networks_of
from service.wiring import Wiring

_log = logging.getLogger(__name__)

READ_WITHIN_SECONDS = 5.0
STORE_WITHIN_SECONDS = 10.0
CONNECT_WITHIN_SECONDS = 3.0
SNAPSHOT_SECONDS = 5.0
MISS_SECONDS = 1.0
RING_SECONDS = 0.1
MOST_ROWS = 256
_CONNECTIONS = 2

NOT_FOUND = Answer(404, b'{"success": false}')
NOT_ALLOWED = Answer(405, b'{"success": false}')
TOO_SLOW = Answer(408, b'{"success": false}')
TOO_LARGE = Answer(413, b'{"success": false}')
AWAY = Answer(503, b'{"success": false}')

# Enough to tell later where a message came from; never an Authorization header.
_KEPT_HEADERS = (
    "content-type",
    "user-agent",
    "x-sepay-timestamp",
    "x-sepay-signature",
    "x-casso-signature",
    "stripe-signature",
)
_MAX_HEADER = 300

# In binary, and packed by us: psycopg's lists look at each element several times, and text would have to be escaped.
_INSERT = """
    INSERT INTO inbox (feed_id, digest, body_sealed, headers, received_at)
    SELECT * FROM unnest(%b::uuid[], %b::bytea[], %b::bytea[], %b::text[]::jsonb[], %b::timestamptz[])
    ON CONFLICT DO NOTHING
"""


class Message(NamedTuple):
    """One row to be stored."""

    feed_id: UUID
    digest: bytes
    body_sealed: bytes
    headers: str
    received_at: datetime


class FeedSnapshot:
    """The configured feeds of all schools by the hash of their address, read anew every few seconds.

    An address that is not known is looked for at once, but at most once a second, so that guessing addresses costs
    the database nothing. While the database is away the last snapshot holds.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._feeds: Mapping[bytes, Watched] = {}
        self._read_at = -SNAPSHOT_SECONDS
        self._ever = False
        self._reading = asyncio.Lock()

    async def find(self, token: str) -> Watched | None:
        """Return the feed of an address; raises ``SQLAlchemyError`` when no snapshot was ever read."""
        key = path_hash(token)
        if time.monotonic() - self._read_at >= SNAPSHOT_SECONDS:
            await self._renew(SNAPSHOT_SECONDS)
        if key not in self._feeds:
            await self._renew(MISS_SECONDS)
        return self._feeds.get(key)

    async def _renew(self, after_seconds: float) -> None:
        if time.monotonic() - self._read_at < after_seconds:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < after_seconds:
                return
            try:
                self._feeds = await asyncio.to_thread(self._read)
                self._ever = True
            except SQLAlchemyError:
                if not self._ever:
                    raise
                _log.warning("the feeds cannot be read; the last snapshot holds")
            self._read_at = time.monotonic()

    def _read(self) -> dict[bytes, Watched]:
        with self._wiring.database.transaction(EVERYTHING) as session:
            rows = session.exec(
                select(Feed).where(col(Feed.closed_at).is_(None), Feed.provider != STATEMENT, Feed.scheme != LIST)
            ).all()
        feeds: dict[bytes, Watched] = {}
        for row in rows:
            try:
                reader, networks = reader_of(row, self._wiring.vault), networks_of(row.allowed_from)
                feeds[row.path_hash] = Watched(row.id, row.school_id, reader, networks)
            except (HocphiError, InvalidTag, ValueError):  # one school's row closes no other school's door
                _log.exception("feed %s cannot be used", row.id)
        return feeds


class GroupCommit:
    """Stores messages as the role that may do nothing else: what gathers while one group is written is the next."""

    def __init__(self, door_url: str) -> None:
        self._pool = AsyncConnectionPool(
            libpq_url(door_url),
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=CONNECT_WITHIN_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": 5, "options": "-c timezone=UTC -c statement_timeout=8s"},
            configure=_take_packed,
            open=False,
        )
        self._opened = False
        self._waiting: list[tuple[Message, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def store(self, message: Message) -> None:
        """Return when the message is committed (or was there before).

        Raises ``psycopg.Error`` or ``TimeoutError`` when it is not, or when nobody knows; storing it again is harmless.
        """
        if self._loop is None:  # once: each question for the running loop is a system call in Python 3.11
            self._loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((message, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await stored

    async def close(self) -> None:
        """Finish what is being written and close the connections."""
        if self._writer is not None:
            await self._writer
        if self._opened:
            await self._pool.close()

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_ROWS], self._waiting[MOST_ROWS:]
            failure = await self._write([message for message, _ in group])
            # A database that is away would let each row wait in turn: the provider comes again instead.
            if failure is None or len(group) == 1 or isinstance(failure, psycopg.OperationalError | TimeoutError):
                _finish(group, failure)
                continue
            for message, stored in group:
                _finish([(message, stored)], await self._write([message]))

    async def _write(self, messages: Sequence[Message]) -> psycopg.Error | TimeoutError | None:
        # In one order for all processes: two groups with the same messages then never wait in a circle.
        rows = sorted(messages, key=lambda message: (message.feed_id.int, message.digest))
        columns = (
            pack(UUID_TYPE, [row.feed_id.bytes for row in rows]),
            pack(BYTEA_TYPE, [row.digest for row in rows]),
            pack(BYTEA_TYPE, [row.body_sealed for row in rows]),
            pack(TEXT_TYPE, [row.headers.encode() for row in rows]),
            pack(TIMESTAMPTZ_TYPE, [moment(row.received_at) for row in rows]),
        )
        try:
            if not self._opened:
                await self._pool.open()
                self._opened = True
            # One limit for all of a group: a server that hangs must not hold what comes after it for longer.
            async with asyncio.timeout(STORE_WITHIN_SECONDS), self._pool.connection() as connection:
                await connection.execute(_INSERT, columns)
        except (psycopg.Error, TimeoutError) as error:
            return error
        return None


async def _take_packed(connection: psycopg.AsyncConnection[Any]) -> None:
    register(connection.adapters)


def _finish(
    group: Sequence[tuple[Message, asyncio.Future[None]]], failure: psycopg.Error | TimeoutError | None
) -> None:
    for _, stored in group:
        if stored.done():  # its caller has gone
            continue
        if failure is None:
            stored.set_result(None)
        else:
            stored.set_exception(failure)


class Door:
    """``POST /callbacks/{secret part of the address}``, with the provider's own path behind it where it adds one."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._feeds: FeedSnapshot | None = None
        self._inbox: GroupCommit | None = None
        self._refusals = Refusals(wiring)
        self._patience = Patience(READ_WITHIN_SECONDS)
        self._ringing: asyncio.Task[None] | None = None
        self._ring_again = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one callback; as an application of its own it also closes its connections at the end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            if answer is not None:
                await _send(send, answer)

    async def close(self) -> None:
        """Let what is being stored finish, and close the connections."""
        if self._inbox is not None:
            await self._inbox.close()
        await self._refusals.close()
        if self._ringing is not None:
            await self._ringing

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """Return the answer, or None when the caller hung up."""
        try:
            found = await self._find(scope["path"])
        except SQLAlchemyError:
            _log.exception("the feeds cannot be read")
            return AWAY
        if found is None:
            return NOT_FOUND
        if not found.lets_in(scope.get("client")):
            _log.warning("callback refused by feed %s: an address that is not on its list", found.feed_id)
            self._refusals.count(found, ADDRESS)
            return found.reader.refused
        if scope["method"] != "POST":
            return NOT_ALLOWED
        behind = _behind(scope["path"])
        if behind == found.reader.log_in_path:
            return found.reader.log_in(_headers(scope), self._wiring.clock())
        return await self._receive(found, scope, receive) if behind in found.reader.paths else NOT_FOUND

    async def _receive(self, found: Watched, scope: Scope, receive: Receive) -> Answer | None:
        try:
            body = await self._patience.wait_for(_read_body(receive))
        except TimeoutError:
            return TOO_SLOW
        if body is None:
            return None
        return TOO_LARGE if len(body) > MAX_BODY_BYTES else await self._take(found, scope, body)

    async def _find(self, path: str) -> Watched | None:
        if self._feeds is None:
            self._feeds = FeedSnapshot(self._wiring)
        return await self._feeds.find(path.removeprefix(CALLBACK_PREFIX).partition("/")[0])

    async def _take(self, found: Watched, scope: Scope, body: bytes) -> Answer:
        feed_id, reader = found.feed_id, found.reader
        now = self._wiring.clock()
        headers = _headers(scope)
        try:
            reader.verify(body, headers, now)
        except CallbackRefused as refused:
            _log.warning("callback refused by feed %s: %s", feed_id, type(refused).__name__)
            self._refusals.count(found, SIGNATURE)
            return reader.refused
        message = Message(
            feed_id=feed_id,
            digest=digest_of(body),
            body_sealed=self._wiring.vault.seal_bytes(body, BODY_CONTEXT),
            headers=_kept(headers),
            received_at=now,
        )
        if self._inbox is None:
            self._inbox = GroupCommit(self._wiring.addresses.door)
        try:
            await self._inbox.store(message)
        except (psycopg.Error, TimeoutError) as error:
            _log.warning("callback not stored: %s", type(error).__name__)
            return AWAY
        self._ring()
        return reader.accepted(body)

    def _ring(self) -> None:
        """Ring for the workers without waiting: at once, then for all that came meanwhile, ten times a second."""
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring_off_loop())
        else:
            self._ring_again = True

    async def _ring_off_loop(self) -> None:
        self._ring_again = True
        while self._ring_again:
            self._ring_again = False
            await asyncio.to_thread(self._wiring.ring, "reconciliation.normalise")
            await asyncio.sleep(RING_SECONDS)


def _behind(path: str) -> str:
    """Return what stands behind the secret part of the address."""
    return path.removeprefix(CALLBACK_PREFIX).partition("/")[2]


async def _read_body(receive: Receive) -> bytes | None:
    """Read the body, stopping just above the limit; None when the caller hung up."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES or not message.get("more_body", False):
            return bytes(body)


def _headers(scope: Scope) -> RawHeaders:
    """Return the headers as text, names in lower case as ASGI has them.

    One that is given twice is joined, so that no signature check accepts it.
    """
    headers = RawHeaders()
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _kept(headers: Mapping[str, str]) -> str:
    """Return the kept headers as a JSON object; written by hand, since the encoder costs more to set up than to run."""
    kept = (
        f'"{name}": {_quoted(_printable(headers[name][:_MAX_HEADER]))}' for name in _KEPT_HEADERS if name in headers
    )
    return f"{{{', '.join(kept)}}}"


def _printable(value: str) -> str:
    return value if value.isprintable() else "".join(filter(str.isprintable, value))


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
