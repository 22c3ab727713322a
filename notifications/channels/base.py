"""The promise of every channel: accepted, refused for now, refused for good, or of unknown fate."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from notifications.errors import DeliveryProblem

_log = logging.getLogger(__name__)
_RAW_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """What any channel needs: our own id of the message and where it goes.

    ``tracking_id`` names one message on one channel for ever and holds nothing about a person;
    it is the only thing about a message that is logged.
    """

    tracking_id: str
    to: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A provider took the message over: its id, its raw answer (at most 1,000 characters), its code if it has one."""

    provider_id: str
    raw: str
    code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "raw", self.raw[:_RAW_LIMIT])


M = TypeVar("M", bound=Message)


class Channel(ABC, Generic[M]):
    """One way to a family; ``M`` is the kind of message it takes."""

    name: ClassVar[str]

    def send(self, message: M) -> Accepted:
        """Hand one message to the provider, once.

        Raises ``TemporaryFailure``, ``PermanentFailure`` (or its child ``Unreachable``) when it was surely
        not accepted, and ``UnknownOutcome`` when nobody can say. Anything else is a programming error.
        """
        began = time.perf_counter()
        try:
            accepted = self._deliver(message)
        except DeliveryProblem as problem:
            self._note(message, f"{type(problem).__name__} {problem.code}", began)
            raise
        self._note(message, "Accepted", began)
        return accepted

    @abstractmethod
    def _deliver(self, message: M) -> Accepted:
        """Speak the provider's language; turn each of its answers into the promise of ``send``."""

    def _note(self, message: M, outcome: str, began: float) -> None:
        millis = (time.perf_counter() - began) * 1000
        _log.info("%s %s: %s after %.0f ms", self.name, message.tracking_id, outcome, millis)
