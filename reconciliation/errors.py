"""What the rules of reconciliation do not allow, in words (pure).

HocphiError
├── Refused
│   ├── CallbackRefused          a callback we do not believe or cannot read; says if trying again can help
│   │   ├── SignatureMissing     nothing to check, or not the scheme this feed was set up with
│   │   ├── SignatureWrong       the bytes were not signed with our secret
│   │   ├── SignatureExpired     signed rightly, but too long ago or in the future
│   │   └── CallbackUnreadable   signed rightly, but not what the provider publishes
│   ├── ListRefused              a provider's list could not be had now
│   │   ├── ProviderAway         it does not answer, or asks us to wait: try again later
│   │   └── ListUnreadable       it answered, but not with the list it publishes, or it does not know our token
│   ├── StatementUnreadable      no known layout, or a cell that cannot be read; nothing was stored
│   │   ├── StatementLayoutUnknown  no known layout: a person can say which column is what
│   │   └── StatementTotalsDiffer   balances or totals of the file do not add up
│   ├── CreditUsed (EachTold)    what money became as credit is used already; names every child
│   └── StepNotAllowed           the transfer's state does not allow this step
├── Conflict
│   ├── BillsFilled (EachTold)   bills have less open than was meant for them; names every one
│   └── Overtaken                somebody did something to the transfer since the page was opened; says who and when
└── NotFound
    └── UnknownFeed              no such configured feed

A callback that comes again is no error: it is answered like the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from billing.errors import Conflict, HocphiError, NotFound, Refused


class CallbackRefused(Refused):
    """A callback we do not believe or cannot read.

    ``permanent`` tells whether the very same bytes would be refused again.
    """

    permanent: ClassVar[bool] = True


class SignatureMissing(CallbackRefused):
    """The headers of the pinned signature scheme are absent or malformed."""


class SignatureWrong(CallbackRefused):
    """The signature does not belong to these bytes and our secret."""


class SignatureExpired(CallbackRefused):
    """The signature is right, its moment is too far from now."""


class CallbackUnreadable(CallbackRefused):
    """The body is not what the provider publishes."""


class ListRefused(Refused):
    """A provider's list could not be had now; nothing of the page was stored."""


class ProviderAway(ListRefused):
    """The provider does not answer, fails, or asks us to wait longer than we can."""


class ListUnreadable(ListRefused):
    """The provider answered, but not with the list it publishes: a wrong token, an error page, too many rows."""


class StatementUnreadable(Refused):
    """No known layout, or a cell that cannot be read; an amount is never guessed."""


class StatementLayoutUnknown(StatementUnreadable):
    """No known heading in the file; a person can say which column is what."""


class StatementTotalsDiffer(StatementUnreadable):
    """The balances or totals printed in the file differ from its lines."""


class StepNotAllowed(Refused):
    """The transfer's state does not allow this step."""


class EachTold(HocphiError):  # noqa: N818  named sentences read better than a row of "…Error"
    """Something stands against an act in several places. ``said``: what to do; ``each``: where, in words.

    The message is both.
    """

    def __init__(self, said: str, each: Sequence[str]) -> None:
        super().__init__(f"{said} {'; '.join(each)}.")
        self.said = said
        self.each = tuple(each)


class CreditUsed(EachTold, Refused):
    """What a transfer became as credit is used, or asked back, so that it cannot be undone; by child."""


class BillsFilled(EachTold, Conflict):
    """Bills have less open than an act puts on them: somebody paid meanwhile; by bill, with child, class and code."""


class Overtaken(Conflict):
    """Somebody did something to the transfer since the page was opened.

    Facts: ``by`` (a user's id, or None for the program), ``at`` and ``what`` (*step* or *act*); a page puts the name.
    """


class UnknownFeed(NotFound):
    """No such configured feed."""
