"""What can go wrong on the way to a family, in words (pure).

DeliveryProblem                  a channel did not say "accepted"; carries channel and the provider's code
├── TemporaryFailure             surely not accepted; the same channel may be tried again later
├── PermanentFailure             surely not accepted, and trying again changes nothing
│   └── Unreachable              … because this person cannot be reached here: use the next channel
└── UnknownOutcome               may have been accepted: never sent again without a person's word
    └── RepeatableDoubt          … but for today the provider knows our id again and takes a text of it only once
UnfitText                        a text that does not fit its template, found before anything was sent

None of the messages holds a name, a phone number or an address, so they may stand in a log.
"""

from __future__ import annotations

from billing.errors import HocphiError, Refused


class DeliveryProblem(HocphiError):  # noqa: N818  named sentences read better than a row of "…Error"
    """A channel did not accept a message.

    ``code`` is the provider's own (``"-118"``, ``"550"``) or one of ours (``"timeout"``, ``"unreadable"``).
    """

    def __init__(self, message: str, *, channel: str, code: str) -> None:
        super().__init__(message, channel=channel, code=code)
        self.channel = channel
        self.code = code


class TemporaryFailure(DeliveryProblem):
    """Surely not accepted; the same channel may be tried again later.

    ``next_day`` is true when waiting minutes is no use: the provider's quota of the day is used up.
    """

    def __init__(self, message: str, *, channel: str, code: str, next_day: bool = False) -> None:
        super().__init__(message, channel=channel, code=code)
        self.next_day = next_day


class PermanentFailure(DeliveryProblem):
    """Surely not accepted, and trying again changes nothing: a person has to repair something."""


class Unreachable(PermanentFailure):
    """The person cannot be reached by this channel; the next one may be used at once."""


class UnknownOutcome(DeliveryProblem):
    """The provider may have accepted it; sending again blindly could tell a family twice."""


class RepeatableDoubt(UnknownOutcome):
    """The provider may have accepted it; until the day ends it refuses a second one of our id, so trying is safe."""


class UnfitText(Refused):
    """A text does not fit its template: too long, missing, or empty."""
