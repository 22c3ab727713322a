"""Who may come to a feed's address, and how often others came: refused callbacks are counted, nothing else is kept."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from billing.errors import Refused
from reconciliation.feeds.base import Feed as Reader
from reconciliation.lists.tables import FeedRefusal
from service.database import EVERYTHING
from service.wiring import Wiring

_log = logging.getLogger(__name__)

WRITE_SECONDS = 5.0
ADDRESS = "address"
SIGNATURE = "signature"
_VIETNAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Watched:
    """A feed that callbacks come to, what believes them, and the networks they may come from (none: all)."""

    feed_id: UUID
    school_id: UUID
    reader: Reader
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def lets_in(self, client: Sequence[object] | None) -> bool:
        """Tell whether a peer may come, given as ASGI does: address and port.

        It is the real peer, or the one that a proxy of ``HOCPHI_TRUSTED_PROXIES`` names; what anybody else writes
        into ``X-Forwarded-For`` has been left out before.
        """
        if not self.networks:
            return True
        try:
            address = ip_address(str(client[0])) if client else None
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address is not None and any(address in network for network in self.networks)


def networks_of(written: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read addresses and networks as an operator writes them; raises ``Refused``."""
    try:
        found = tuple(ip_network(each.strip()) for each in written)
    except ValueError as error:
        raise Refused(f"Địa chỉ phải là IP hoặc mạng con như 203.0.113.7 hay 203.0.113.0/24: {error}"[:200]) from None
    if any(not network.prefixlen for network in found):
        raise Refused("Mạng con /0 cho mọi địa chỉ vào, không phải là danh sách địa chỉ.")
    return found


class Refusals:
    """Counts what the door refuses; writes it every few seconds, so that a flood costs the database next to nothing."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._counted: Counter[tuple[UUID, UUID, str]] = Counter()
        self._writing: asyncio.Task[None] | None = None

    def count(self, watched: Watched, reason: str) -> None:
        """Count one; it is written soon."""
        self._counted[watched.school_id, watched.feed_id, reason] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await asyncio.to_thread(self._write)

    async def _write_soon(self) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        await asyncio.to_thread(self._write)

    def _write(self) -> None:
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            with self._wiring.database.transaction(EVERYTHING) as session:
                for (school_id, feed_id, reason), count in sorted(counted.items(), key=str):
                    self._add(session, school_id, feed_id, reason, count)
        except SQLAlchemyError:
            _log.warning("%d refused callbacks could not be counted", counted.total())

    def _add(self, session: Session, school_id: UUID, feed_id: UUID, reason: str, count: int) -> None:
        day = (self._wiring.clock() + _VIETNAM).date()
        row = {"school_id": school_id, "feed_id": feed_id, "day": day, "reason": reason, "count": count}
        added = insert(FeedRefusal).values(row)
        session.execute(
            added.on_conflict_do_update(
                index_elements=["school_id", "feed_id", "day", "reason"],
                set_={"count": col(FeedRefusal.count) + added.excluded.count},
            )
        )
