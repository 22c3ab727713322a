"""The part of the sample desk that answers whose family a member of staff is."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from billing.errors import OwnFamily
from service.access.roles import Place, SignedIn
from service.pages.kin_views import KinPage, KinRow, TypedKin

AT = datetime(2025, 10, 6, 2, 0, tzinfo=UTC)
CHILD = KinRow(str(uuid.UUID(int=93)), "2500000017", "Lê Văn An", AT)
NUMBER = KinRow(str(uuid.UUID(int=92)), "09•• ••• 123", "Trần Thị Thu", AT)


class SampleKin:
    """Frozen families; remembers what was done."""

    done: list[tuple[str, str]]

    def kin(self, who: SignedIn, place: Place, user_id: uuid.UUID, school: str = "") -> KinPage:
        del school
        mine = user_id == who.user_id
        return KinPage(str(user_id), "Trần Thị Thu", str(place.id), (CHILD,), (NUMBER,), mine)

    def declare_kin(self, who: SignedIn, place: Place, typed: TypedKin, now: datetime) -> None:
        del who, now
        self.done.append(("declare kin " + (typed.code or typed.contact), place.code))

    def end_kin(  # noqa: PLR0913, PLR0917  as the desk promises it
        self, who: SignedIn, place: Place, typed: TypedKin, row_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del who, typed, now, reason
        self.done.append((f"end kin {row_id}", place.code))

    def note_own_family(self, who: SignedIn, error: OwnFamily, where: str, now: datetime) -> None:
        del who, error, now
        self.done.append(("own family", where))
