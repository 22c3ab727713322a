"""The kinds of reductions a pupil can be granted, from ``catalogues/reduction-kinds.json``, checked when read.

A kind says who carries what share of which groups of items, on which legal basis, from when to when, at which schools.
Those marked ``by_law`` are applied by the rules themselves and are listed only so that people can read them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from billing.errors import NotFound
from billing.fees.catalogue import SHIPPED
from billing.fees.entries import Entry
from billing.fees.errors import BadCatalogue
from billing.fees.items import Group, Level, Ownership, Payer, Span

KINDS_FILE = "reduction-kinds.json"


@dataclass(frozen=True, slots=True)
class ReductionKind:
    """One kind. Without ``percent`` the maker gives percentage or amount; with it, only the State's is fixed.

    ``sensitive``: tells something of the family's hardship or health; shown only to staff with the right.
    ``prepaid``: for paying ahead; of several such only one counts on an item.
    """

    code: str
    name: str
    payer: Payer
    legal_basis: str
    valid: Span
    groups: frozenset[Group]
    evidence: str
    percent: int | None = None
    ownerships: frozenset[Ownership] = frozenset(Ownership)
    levels: frozenset[Level] = frozenset(Level)
    sensitive: bool = False
    by_law: bool = False
    prepaid: bool = False
    comment: str = ""

    @property
    def fixed(self) -> bool:
        """Whether the share is the law's and nobody may choose another."""
        return self.payer is Payer.STATE and self.percent is not None

    def fits(self, ownership: Ownership, levels: frozenset[Level], on: date) -> bool:
        """Tell whether it can be granted at such a school on a day."""
        return not self.by_law and ownership in self.ownerships and bool(self.levels & levels) and self.valid.holds(on)


@cache
def shipped_kinds() -> tuple[ReductionKind, ...]:
    """Return the kinds that come with the program, in the order of the file."""
    return read_kinds(SHIPPED / KINDS_FILE)


@cache
def prepaid_kinds() -> frozenset[str]:
    """Return the codes of the kinds for paying ahead."""
    return frozenset(kind.code for kind in shipped_kinds() if kind.prepaid)


def find_kind(code: str, kinds: Sequence[ReductionKind] | None = None) -> ReductionKind:
    """Return a kind by its code; raises ``NotFound``."""
    for kind in shipped_kinds() if kinds is None else kinds:
        if kind.code == code:
            return kind
    raise NotFound(f"Không có diện miễn giảm mã {code}. Hãy chọn một diện trong danh sách.", code=code)


def read_kinds(path: Path) -> tuple[ReductionKind, ...]:
    """Read a file of kinds; raises ``BadCatalogue`` with file, entry and reason."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadCatalogue(path.name, "(cả tệp)", f"không phải JSON đúng ({error})") from error
    return parse_kinds(content, path.name)


def parse_kinds(content: object, file: str) -> tuple[ReductionKind, ...]:
    """Read the content of a file of kinds; raises ``BadCatalogue``."""
    top = Entry(file, "(cả tệp)", content)
    top.text("title")
    sources: dict[str, str] = {}
    for entry in top.entries("sources"):
        sources[entry.text("code")] = entry.text("text")
        entry.done()
    kinds: dict[str, ReductionKind] = {}
    for entry in top.entries("kinds"):
        kind = _kind(entry, sources)
        if kind.code in kinds:
            raise entry.bad(f"diện {kind.code} được ghi hai lần")
        kinds[kind.code] = kind
        entry.done()
    top.done()
    return tuple(kinds.values())


def _kind(entry: Entry, sources: dict[str, str]) -> ReductionKind:
    code, basis = entry.text("code"), entry.text("basis")
    if basis not in sources:
        raise entry.bad(f"căn cứ {basis!r} không có trong “sources”")
    percent, payer = entry.optional_whole("percent"), entry.choice("payer", Payer)
    if percent is not None and not 1 <= percent <= 100:  # noqa: PLR2004  a whole in hundredths
        raise entry.bad(f"tỷ lệ phải từ 1 đến 100, không phải {percent}")
    groups = entry.choices("groups", Group)
    if not groups or payer is Payer.FAMILY or Group.DONATION in groups:
        raise entry.bad("phải có nhóm khoản thu (trừ tài trợ) và người chịu phần giảm, không phải gia đình")
    return ReductionKind(
        code=code,
        name=entry.text("name"),
        payer=payer,
        legal_basis=sources[basis],
        valid=entry.span(),
        groups=groups,
        evidence=entry.text("evidence", ""),
        percent=percent,
        ownerships=entry.choices("ownerships", Ownership) or frozenset(Ownership),
        levels=entry.choices("levels", Level) or frozenset(Level),
        sensitive=entry.flag("sensitive"),
        by_law=entry.flag("by_law"),
        prepaid=entry.flag("prepaid"),
        comment=entry.comment,
    )
