"""What the rules of fees do not allow, in words (pure).

Refused (billing.errors)
├── Prohibited                   an item no public school may collect, with the article that forbids it
├── NotComparable                a price in another unit than the one the council's cap is given in
└── BadCatalogue                 a catalogue file that cannot be read: file, entry, reason
"""

from __future__ import annotations

from billing.errors import Refused


class Prohibited(Refused):
    """A public school may not collect this item."""


class NotComparable(Refused):
    """A price is given in another unit than the council's cap."""


class BadCatalogue(Refused):
    """A catalogue file has an entry that cannot be used."""

    def __init__(self, file: str, entry: str, reason: str) -> None:
        super().__init__(
            f"Danh mục {file}, mục {entry}: {reason}. Hãy sửa mục này rồi nạp lại.",
            file=file,
            entry=entry,
            reason=reason,
        )
        self.file = file
        self.entry = entry
        self.reason = reason
