"""What the door must refuse for ever and take for ever: touched messages, old signatures, and copies of copies."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import httpx
import pytest
import redis

from billing.vault import Vault
from reconciliation.feeds.base import MAX_BODY_BYTES
from reconciliation.feeds.sepay import SIGNATURE_HEADER, TIMESTAMP_HEADER
from service.database import Database
from service.door import Door
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.serving import serving
from tests.service.test_door import stored

PROOF = bool(os.environ.get("HOCPHI_PROOF"))
FLIPS = 1_000 if PROOF else 100
YEAR = timedelta(days=365)

pytestmark = [pytest.mark.proof] if PROOF else []


class Moved:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = PAID_AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
def collecting(database: Database, addresses: Addresses, vault: Vault, clock: Moved) -> Collecting:
    made = make_collecting(database, addresses, vault)
    made.wiring = replace(made.wiring, clock=clock)
    return made


@pytest.fixture
def url(collecting: Collecting) -> Iterator[str]:
    with serving(Door(collecting.wiring)) as address:
        yield address


def post(collecting: Collecting, url: str, body: bytes, signed_at: datetime) -> int:
    """Post a body that is signed, and rightly, as of some moment; return the status."""
    door = collecting.door(url)
    return httpx.post(door.url, content=body, headers=door.headers(body, signed_at)).status_code


def flipped(random: Random, body: bytes, headers: dict[str, str]) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Flip one bit of the body, the signature or its moment, but not one that only makes a letter large."""
    parts = {"body": body, **{name: headers[name].encode() for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER)}}
    name = random.choice(sorted(parts))
    while True:
        place, bit = random.randrange(len(parts[name])), random.randrange(8)
        touched = bytearray(parts[name])
        touched[place] ^= 1 << bit
        if name == "body" or (touched.lower() != parts[name].lower() and touched[place] not in b"\r\n\0 \t"):
            break
    parts[name] = bytes(touched)
    return parts["body"], [(key.encode(), parts[key]) for key in (SIGNATURE_HEADER, TIMESTAMP_HEADER)]


def test_no_flipped_bit_of_body_signature_or_moment_is_believed(collecting: Collecting) -> None:
    body = collecting.bank.callback(collecting.pays(collecting.requests[0].reference))
    door = collecting.door("http://door")
    headers = door.headers(body, PAID_AT)
    random = Random(7)  # noqa: S311  chance, not secrecy

    async def post_all() -> set[tuple[int, bytes]]:
        transport = httpx.ASGITransport(Door(collecting.wiring))
        async with httpx.AsyncClient(transport=transport) as client:
            answers = [
                await client.post(door.url, content=touched, headers=signature)
                for touched, signature in (flipped(random, body, headers) for _ in range(FLIPS))
            ]
        return {(answer.status_code, answer.content) for answer in answers}

    assert asyncio.run(post_all()) == {(401, b'{"success": false}')}
    assert stored(collecting) == []


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 200), (0, 200), (299, 200), (301, 401)])
def test_a_signature_holds_for_five_minutes_either_way(
    collecting: Collecting, url: str, seconds: int, status: int
) -> None:
    assert post(collecting, url, b"{}", PAID_AT + timedelta(seconds=seconds)) == status
    assert len(stored(collecting)) == (status == 200)


def test_the_largest_body_is_taken_and_one_byte_more_is_not(collecting: Collecting, url: str) -> None:
    assert post(collecting, url, b"x" * MAX_BODY_BYTES, PAID_AT) == 200
    assert post(collecting, url, b"x" * (MAX_BODY_BYTES + 1), PAID_AT) == 413
    assert [len(each.body_sealed) > MAX_BODY_BYTES for each in stored(collecting)] == [True]


def test_a_replay_is_one_posting_for_ever(collecting: Collecting, url: str, clock: Moved, servers: TestServers) -> None:
    body = collecting.bank.callback(collecting.pays(collecting.requests[0].reference))
    in_other_bytes = [json.dumps(json.loads(body), indent=spaces).encode() for spaces in range(3)]
    assert post(collecting, url, body, PAID_AT) == 200
    collecting.reconcile()
    booked = (collecting.books(), collecting.receipts(), collecting.rests())
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()

    assert post(collecting, url, body, PAID_AT) == 200, "the very message, signature and all"
    clock.now = PAID_AT + timedelta(seconds=301)
    assert post(collecting, url, body, PAID_AT) == 401, "its signature is old by now"
    for years, told in enumerate(in_other_bytes):
        clock.now = PAID_AT + years * YEAR + timedelta(days=1)
        assert [post(collecting, url, each, clock.now) for each in (body, told)] == [200, 200], (
            "signed anew, and rightly"
        )
        collecting.reconcile()

    assert len(stored(collecting)) == 1 + len(in_other_bytes), "the same bytes are never stored again"
    assert (collecting.books(), collecting.receipts(), collecting.rests()) == booked
    assert booked[1] == [(1, 650_000)]
