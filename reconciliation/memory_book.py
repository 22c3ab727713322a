"""A book of requests and people already at hand, for the command ``match`` and for measuring (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from reconciliation.matching import IncomingTransfer, OpenRequest, RequestBook
from reconciliation.memo import Memo
from reconciliation.weak_signs import Lead, People, Person, Sign

_NONE: Final[list[OpenRequest]] = []


class MemoryBook(RequestBook):
    """A book over entries and people already at hand."""

    def __init__(self, entries: Iterable[OpenRequest], people: Iterable[Person] = ()) -> None:
        self._people = People(people)
        self._suggest_by = frozenset(Sign)
        by_reference: dict[str, list[OpenRequest]] = defaultdict(list)
        by_virtual_account: dict[str, list[OpenRequest]] = defaultdict(list)
        self._open_of_pupil: dict[str, list[OpenRequest]] = {}
        self._open_of_family: dict[tuple[str, str], list[OpenRequest]] = defaultdict(list)
        self._family_of: dict[str, str] = {}
        for entry in entries:
            by_reference[entry.reference].append(entry)
            if entry.virtual_account:
                by_virtual_account[entry.virtual_account].append(entry)
            if entry.payable:
                self._open_of_pupil.setdefault(entry.pupil, []).append(entry)
                self._open_of_family[entry.family, entry.account].append(entry)
                self._family_of[entry.pupil] = entry.family
        self._by_reference = {reference: tuple(entries) for reference, entries in by_reference.items()}
        self._by_virtual_account = {number: tuple(entries) for number, entries in by_virtual_account.items()}

    def by_reference(self, reference: str) -> tuple[OpenRequest, ...]:
        """Return every entry of a reference, as listed."""
        return self._by_reference.get(reference, ())

    def by_virtual_account(self, virtual_account: str) -> tuple[OpenRequest, ...]:
        """Return every entry of a virtual account, as listed."""
        return self._by_virtual_account.get(virtual_account, ())

    def open_of_pupil(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return a pupil's open entries on an account, as listed."""
        listed = self._open_of_pupil.get(pupil, _NONE)
        for entry in listed:
            if entry.account != account:
                return [each for each in listed if each.account == account]
        return listed

    def open_of_family(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the open entries of the others of a pupil's family on an account, as listed."""
        family = self._family_of.get(pupil, "")
        others = self._open_of_family.get((family, account), ()) if family else ()
        return [entry for entry in others if entry.pupil != pupil]

    def suggest_by(self) -> frozenset[Sign]:
        """Return every sign: a file knows no school's setting."""
        return self._suggest_by

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> Sequence[Lead]:
        """Return the pupils to whom a memo or payer leads, by exact look-up."""
        return self._people.leads(memo, transfer.payer)
