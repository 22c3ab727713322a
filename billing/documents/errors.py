"""What the documents do not allow, in words (pure).

Refused
└── PayloadRefused   a text is no VietQR transfer payload, or the values given cannot become one
"""

from __future__ import annotations

from billing.errors import Refused


class PayloadRefused(Refused):
    """A payload, or the values of one, break a rule of the format.

    ``reason`` is a stable word for programs (``crc``, ``structure``, ``duplicate``, ``missing``, ``unknown``,
    ``scheme``, ``characters``, ``length`` or the name of the field that is wrong); the message is for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason
