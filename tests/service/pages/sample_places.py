"""The part of the sample desk that answers the page of where a school lies."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.fees.places import ZONE_NAMES
from service.access.roles import Place, SignedIn
from service.pages.place_views import AskedPlace, HeldRow, PlacesPage, TypedPlace

PLACE_ID = uuid.UUID(int=1300)
HELD = (
    HeldRow(ZONE_NAMES["rural"], "Bình Phước", date(2026, 1, 1), None, "QĐ 31/2025/QĐ-UBND"),
    HeldRow(ZONE_NAMES["ward"], "Bình Phước", None, date(2025, 12, 31), "", now=True),
)
WAITING = AskedPlace(
    place_id=str(PLACE_ID),
    zone=ZONE_NAMES["ethnic_1"],
    area="Bình Phước",
    since=date(2026, 2, 1),
    decision="QĐ 5/2026/QĐ-UBND",
    asked_by="Trần Thị Thu",
    asked_at=datetime(2025, 10, 20, 2, 0, tzinfo=UTC),
    mine=False,
    refused=(("Tiền tổ chức, quản lý và vệ sinh bán trú", "Mức thu 300.000 đ vượt trần 280.000 đ."),),
)


class SamplePlaces:
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def places(self, who: SignedIn, place: Place, now: datetime) -> PlacesPage:
        del who, place, now
        return PlacesPage(
            HELD, WAITING, tuple(ZONE_NAMES.items()), (("", "không"), ("binh_phuoc", "Bình Phước")), date(2025, 8, 1)
        )

    def ask_place(self, who: SignedIn, place: Place, typed: TypedPlace, now: datetime) -> None:
        del who, place, now
        self.done.append(("ask place", typed.zone))

    def approve_place(self, who: SignedIn, place: Place, place_id: uuid.UUID, now: datetime) -> None:
        del who, place, now
        self.done.append(("approve place", str(place_id)))

    def withdraw_place(self, who: SignedIn, place: Place, place_id: uuid.UUID, now: datetime) -> None:
        del who, place, now
        self.done.append(("withdraw place", str(place_id)))
