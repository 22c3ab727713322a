"""What the office hands in and takes out as sheets, in the shapes of the pages (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UploadKind(StrEnum):
    """What the office hands in; the value stands in the address."""

    ROSTER = "danh-sach"
    CONTACTS = "lien-he"
    PRICES = "khoan-thu"
    REGISTRATIONS = "dang-ky"
    REDUCTIONS = "mien-giam"
    ENTITLEMENTS = "ho-tro"
    INSURANCE = "the-bhyt"


# Which of them can be taken out to be edited and brought back. Contacts stay inside: a file full of telephone numbers
# is what gets lost.
TAKEN_OUT = frozenset(UploadKind) - {UploadKind.CONTACTS}
# Which of them are of one school year.
OF_A_YEAR = TAKEN_OUT - {UploadKind.PRICES}
# Which of them tell hardship beside names.
TELLING = frozenset({UploadKind.REDUCTIONS, UploadKind.ENTITLEMENTS})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, for a school year (``OF_A_YEAR``); tried only, or imported."""

    kind: UploadKind
    data: bytes
    target: str
    check_only: bool


@dataclass(frozen=True, slots=True)
class UploadDone:
    """What the lines of a file were."""

    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class UploadChoices:
    """What an upload can be for: school years."""

    years: tuple[str, ...]
