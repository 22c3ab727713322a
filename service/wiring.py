"""Settings become ready objects: database, clock, vault, keys, bell. Nothing below this file reads a setting."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from billing.vault import Vault
from service.database import Database, make_engine
from service.preparing import APP_ROLE, DOOR_ROLE, SEALER_ROLE, Addresses, role_url
from service.settings import Settings

type_of_bell = Callable[[str], None]


def _silent(task: str) -> None:
    """Ring no bell: the sweeper finds the work by itself."""
    del task


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything the running programs share. ``ring`` takes the name of a task and never raises."""

    settings: Settings
    addresses: Addresses
    redis_url: str
    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    ring: type_of_bell = field(default=_silent)

    @property
    def reference_key(self) -> bytes:
        """The 32-byte key of the permutation behind payment references; it may never change."""
        return derived_key(self.settings, "payment references 1")

    @property
    def link_key(self) -> bytes:
        """The 32-byte key behind parents' links."""
        return derived_key(self.settings, "parent links 1")

    def close(self) -> None:
        """Close what is open."""
        self.database.close()


def derived_key(settings: Settings, purpose: str) -> bytes:
    """Return a 32-byte key for one purpose, derived from the secret."""
    return hmac.new(settings.key("secret"), purpose.encode(), hashlib.sha256).digest()


def moved_clock(offset_seconds: int) -> Callable[[], datetime]:
    """Return our clock in UTC, moved by an offset (0 outside demo and tests)."""
    offset = timedelta(seconds=offset_seconds)
    return lambda: datetime.now(UTC) + offset


def addresses_from(settings: Settings, superuser_url: str | None = None) -> Addresses:
    """Return the database's addresses: given ones, or those of our own server (with its superuser's address)."""
    secret = settings.key("secret")
    owner = settings.database_owner_url or superuser_url or settings.database_url
    if owner is None:
        raise ValueError("no database: neither DATABASE_URL nor our own server")
    app = settings.database_url or role_url(owner, APP_ROLE, secret)
    door = settings.database_door_url or role_url(app, DOOR_ROLE, secret)
    sealer = role_url(app, SEALER_ROLE, secret)
    return Addresses(owner=owner, app=app, door=door, sealer=sealer)


def wire(settings: Settings, addresses: Addresses, redis_url: str, ring: type_of_bell = _silent) -> Wiring:
    """Make the shared objects of one process."""
    return Wiring(
        settings=settings,
        addresses=addresses,
        redis_url=redis_url,
        database=Database(make_engine(addresses.app)),
        vault=Vault(settings.key("vault_key")),
        clock=moved_clock(settings.clock_offset_seconds),
        ring=ring,
    )
