"""What the pages of pupils who move ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.moving_views import (
    LastClassRow,
    LeavingPage,
    MoverPage,
    MovingPage,
    TypedClass,
    TypedLeaving,
    TypedReturn,
)


class MovingDesk(Protocol):
    """Leaving, changing the class, and the last grade."""

    def moving(self, who: SignedIn, place: Place, words: str, now: datetime) -> MovingPage:
        """Return the pupils that the words find, and who left."""

    def mover(
        self, who: SignedIn, place: Place, enrolment_id: UUID, typed: TypedLeaving | None, now: datetime
    ) -> MoverPage:
        """Return one pupil and, with something typed, what leaving would do."""

    def leave(self, who: SignedIn, place: Place, typed: TypedLeaving, now: datetime) -> UUID:
        """End a pupil's time here and ask for the corrections; raises ``Conflict`` or ``Refused``."""

    def leaving(self, who: SignedIn, place: Place, leaving_id: UUID, now: datetime) -> LeavingPage:
        """Return one leaving; raises ``NotFound``."""

    def settle_leaving(self, who: SignedIn, place: Place, leaving_id: UUID, now: datetime) -> UUID | None:
        """Let what is kept pay what is open and ask for the rest back; return the request, if there is one."""

    def take_back_leaving(self, who: SignedIn, place: Place, leaving_id: UUID, reason: str, now: datetime) -> None:
        """Let a pupil go on as if it had not left; raises ``Conflict`` once something was approved."""

    def come_back(self, who: SignedIn, place: Place, typed: TypedReturn, now: datetime) -> UUID:
        """Begin a new stay of a pupil who left; return its enrolment; raises ``Conflict`` or ``Refused``."""

    def change_class(self, who: SignedIn, place: Place, typed: TypedClass, now: datetime) -> None:
        """Put a pupil into another class from a day on."""

    def last_classes(self, who: SignedIn, place: Place, now: datetime) -> tuple[LastClassRow, ...]:
        """Return the classes of last grades with what is kept for their pupils."""

    def refund_graduates(self, who: SignedIn, place: Place, classes: Sequence[str], reason: str, now: datetime) -> UUID:
        """Ask for all of it to be given back; return the request."""
