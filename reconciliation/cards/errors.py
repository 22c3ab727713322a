"""What goes wrong with a card provider, in words (pure).

HocphiError
├── Conflict
│   └── CardSumChanged           less is due by now than a page was opened for
├── Refused
│   ├── CardsOff                 the school does not take cards for this
│   │   └── CardNotNow           nothing should be paid by card now: it is paid, or money is being looked at
│   ├── CardPageNotOpened        a family is told that it cannot pay by card now, and that a transfer works
│   ├── CardProviderAway         no answer we can use: nobody knows whether it was done; ask again with the same key
│   │   └── CardFaultKept        Stripe repeats a fault of its own under this key, for a day
│   └── CardRequestRefused       Stripe answered no, with its type, code and parameter
│       ├── CardDeclined         the card was declined (type card_error)
│       ├── CardKeyRefused       our API key is not known or may not do this (401, 403)
│       └── CardKeyReused        the same idempotency key came with another request (type idempotency_error)
"""

from __future__ import annotations

from billing.errors import Conflict, Refused


class CardsOff(Refused):
    """The school does not take cards for this; a transfer works."""


class CardNotNow(CardsOff):
    """Nothing should be paid by card now: all is paid, or money that has come is being recorded or looked at."""


class CardSumChanged(Conflict):
    """Less is due by now than a page was opened for; nobody was given the page."""


class CardPageNotOpened(Refused):
    """No page could be opened, whatever the provider said; nothing was taken, and a transfer works."""


class CardProviderAway(Refused):
    """No usable answer in time. What was asked for may have been done: ask again with the same key."""


class CardFaultKept(CardProviderAway):
    """Stripe gives a fault of its own again under this key, as it does for a day; what came of it is not known."""


class CardRequestRefused(Refused):
    """Stripe answered no; its ``type``, ``code``, ``param`` and ``decline_code`` are empty where it told none."""

    def __init__(  # noqa: PLR0913  the fields of Stripe's error object
        self, message: str, *, status: int, type_: str = "", code: str = "", param: str = "", decline_code: str = ""
    ) -> None:
        super().__init__(message, status=status, type=type_, code=code, param=param, decline_code=decline_code)
        self.status = status
        self.type = type_
        self.code = code
        self.param = param
        self.decline_code = decline_code


class CardDeclined(CardRequestRefused):
    """The card was declined."""


class CardKeyRefused(CardRequestRefused):
    """Our API key is unknown, or may not do this."""


class CardKeyReused(CardRequestRefused):
    """The same idempotency key came with another request."""
