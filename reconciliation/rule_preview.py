"""What a school's setting of weaker signs would change, shown on transfers it has had, before it is saved (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciliation.deciding import decide
from reconciliation.matching import POSTING, Decision, IncomingTransfer, OpenRequest, Outcome, RequestBook
from reconciliation.memo import Memo
from reconciliation.weak_signs import Lead, Sign

LAST = 250
"""How many of the newest transfers a preview looks at."""


class Under:
    """A book under another setting; everything else it answers as it does."""

    def __init__(self, book: RequestBook, signs: frozenset[Sign]) -> None:
        self._book = book
        self._signs = signs

    def by_reference(self, reference: str) -> tuple[OpenRequest, ...]:
        """Return the entries of a reference."""
        return self._book.by_reference(reference)

    def by_virtual_account(self, virtual_account: str) -> tuple[OpenRequest, ...]:
        """Return the entries of a virtual account."""
        return self._book.by_virtual_account(virtual_account)

    def open_of_pupil(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return a pupil's open entries."""
        return self._book.open_of_pupil(pupil, account)

    def open_of_family(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the open entries of the others of a family."""
        return self._book.open_of_family(pupil, account)

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> Sequence[Lead]:
        """Return whom a transfer leads to."""
        return self._book.leads(transfer, memo)

    def suggest_by(self) -> frozenset[Sign]:
        """Return the signs to be tried."""
        return self._signs


@dataclass(frozen=True, slots=True)
class Compared:
    """A transfer decided twice, on the bills as they stand now."""

    transfer: IncomingTransfer
    before: Decision
    after: Decision


@dataclass(frozen=True, slots=True)
class RulePreview:
    """What changes. Together the five groups are all transfers looked at.

    ``matched``: money moves by itself, under both settings alike. ``newly``: suggested only by the new one; ``lost``:
    only by the old one; ``moved``: another bill first. ``same``: nothing changes for these.
    """

    matched: tuple[Compared, ...]
    newly: tuple[Compared, ...]
    lost: tuple[Compared, ...]
    moved: tuple[Compared, ...]
    same: tuple[Compared, ...]


def preview(
    transfers: Iterable[tuple[IncomingTransfer, RequestBook]], before: frozenset[Sign], after: frozenset[Sign]
) -> RulePreview:
    """Decide each transfer on its book under both settings; say what changes.

    Raises ``AssertionError`` if a setting of weaker signs ever moved money: none may.
    """
    groups: dict[str, list[Compared]] = {name: [] for name in RulePreview.__slots__}
    for transfer, book in transfers:
        compared = Compared(transfer, decide(transfer, Under(book, before)), decide(transfer, Under(book, after)))
        groups[_group(compared)].append(compared)
    return RulePreview(**{name: tuple(listed) for name, listed in groups.items()})


def _group(compared: Compared) -> str:
    old, new = compared.before, compared.after
    if old.outcome in POSTING or new.outcome in POSTING:
        if old != new:
            raise AssertionError("a setting of suggestions must not move money")
        return "matched"
    told = old.outcome is Outcome.SUGGESTED, new.outcome is Outcome.SUGGESTED
    if told == (False, True):
        return "newly"
    if told == (True, False):
        return "lost"
    first = [decision.bills[:1] for decision in (old, new)]
    return "same" if first[0] == first[1] else "moved"
