"""What is measured on: a school whose bank calls back, tables of the inbox's shape, and signed requests on a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql
from pydantic import SecretStr

from billing.vault import Vault
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import HMAC, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from service.database import EVERYTHING, libpq_url
from service.preparing import Addresses, prepare
from service.settings import Settings
from service.wiring import Wiring, wire
from tests.conftest import TEST_SECRET, TestServers
from tests.factories.schools import make_account, make_school

SECRET = "bi-mat-cua-kenh-khi-do"  # noqa: S105  an invented one
OURS = "inbox"
BARE = "bare_inbox"
_FIRST_ID = 1_000_000_000
_OPENED = datetime(2025, 9, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """A school with one feed, and where its callbacks go."""

    wiring: Wiring
    account: str
    feed_id: UUID
    token: str

    @property
    def addresses(self) -> Addresses:
        """Where the database is."""
        return self.wiring.addresses

    def body(self, number: int) -> bytes:
        """Return a callback as SePay sends it; each has another id and sum, all have one length."""
        told = {
            "id": _FIRST_ID + number,
            "gateway": "MBBank",
            "transactionDate": "2025-10-06 08:00:00",
            "accountNumber": self.account,
            "code": None,
            "content": f"FW2K7M3Q9AB hoc phi thang 10 Nguyen Van An lop 5A2-CHUYEN TIEN-MOMO-{_FIRST_ID + number}",
            "transferType": "in",
            "transferAmount": 1_000_000 + number % 1_000_000,
            "accumulated": 10_000_000_000 + number,
            "subAccount": None,
            "referenceCode": f"FT25279{_FIRST_ID + number}",
            "description": "BankAPINotify hoc phi thang 10",
        }
        return json.dumps(told, separators=(",", ":")).encode()


def make_world(own: TestServers) -> World:
    """Make the database, the school, and a table of the inbox's shape, keys and rights for the bare inserts."""
    with psycopg.connect(libpq_url(own.owner_url), autocommit=True) as connection:
        connection.execute("CREATE DATABASE ingest")
    addresses = own.addresses("ingest")
    prepare(addresses)
    key = SecretStr(TEST_SECRET.hex())
    wiring = wire(Settings.model_construct(secret=key, vault_key=key), addresses, own.redis_url)
    with wiring.database.transaction(EVERYTHING) as session:
        account = make_account(session, make_school(session))
        feed, token = open_feed(session, wiring.vault, account, "sepay", HMAC, SECRET, None, _OPENED)
        world = World(wiring, account.number, feed.id, token)
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {BARE} (LIKE {OURS} INCLUDING ALL)")
        connection.execute(f"ALTER TABLE {BARE} ADD FOREIGN KEY (feed_id) REFERENCES feeds (id)")
        connection.execute(f"GRANT INSERT ON {BARE} TO hocphi_door")
    return world


def empty(world: World) -> None:
    """Empty both tables, behind the guards, so that all are measured on tables of one size."""
    with psycopg.connect(libpq_url(world.addresses.owner), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"TRUNCATE {OURS}, {BARE} CASCADE")
        connection.execute("CHECKPOINT")


def stored(world: World, table: str) -> list[bytes]:
    """Return the digests that a table holds."""
    with psycopg.connect(libpq_url(world.addresses.owner)) as connection:
        query = sql.SQL("SELECT digest FROM {}").format(sql.Identifier(table))
        return [digest for (digest,) in connection.execute(query).fetchall()]


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests on a file: each as long as the others, and the digests of their bodies in the order they are sent."""

    path: Path
    length: int
    digests: list[bytes]


def write_requests(world: World, path: Path, count: int, first: int) -> Requests:
    """Write signed requests with bodies that were never sent before; the signatures are good for five minutes."""
    timestamp = str(int(datetime.now(UTC).timestamp()))
    digests, lengths = [], set()
    with path.open("wb") as file:
        for number in range(first, first + count):
            body = world.body(number)
            digests.append(hashlib.sha256(body).digest())
            lengths.add(file.write(_request(world.token, body, timestamp)))
    (length,) = lengths
    return Requests(path, length, digests)


def _request(token: str, body: bytes, timestamp: str) -> bytes:
    lines = [
        f"POST /callbacks/{token} HTTP/1.1",
        "Host: hocphi.invalid",
        "User-Agent: SePay",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"{TIMESTAMP_HEADER}: {timestamp}",
        f"{SIGNATURE_HEADER}: sha256={sign(body, timestamp, SECRET.encode())}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sealed_like(world: World) -> bytes:
    """Return a body as it is stored, for the bare inserts."""
    return Vault(TEST_SECRET).seal_bytes(world.body(0), "inbox.body")
