"""Pairing by comparing every line with every message, as plain as it can be: what the quick way is checked against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from reconciliation.pairing import TELLING_LENGTH, Evidence, Likeness, Told, likeness

_Ranked = tuple[Likeness, datetime, int, int]
_Key = Callable[[Told], object]


def pair_one_by_one(lines: Sequence[Told], others: Sequence[Told]) -> dict[int, int]:
    """Return the pairs, ranking all of them one by one."""
    pairs: dict[int, int] = {}
    for key in (_number, lambda each: each.memo if each.telling else "", lambda each: each.codes):
        _join(_ranked(key, lines, others, pairs), pairs)
    _join_everyday(lines, others, pairs)
    ranked = _ranked(lambda _: "any", lines, others, pairs)
    _join([each for each in ranked if each[0].evidence is not Evidence.NOTHING], pairs)
    by_day = [each for each in ranked if each[0].evidence is Evidence.NOTHING]
    _join([each for each in by_day if not (lines[each[2]].telling or others[each[3]].telling)], pairs)
    left: dict[date, list[_Ranked]] = defaultdict(list)
    for each in by_day:
        if each[2] not in pairs and each[3] not in pairs.values():
            left[lines[each[2]].day].append(each)
    for rest in left.values():
        if len({lines[each[2]].memo for each in rest}) == 1 == len({others[each[3]].memo for each in rest}):
            _join(rest, pairs)
    return pairs


def _number(each: Told) -> str:
    return each.bank_reference if len(each.bank_reference) >= TELLING_LENGTH else ""


def _ranked(key: _Key, lines: Sequence[Told], others: Sequence[Told], pairs: dict[int, int]) -> list[_Ranked]:
    found = []
    for place, line in enumerate(lines):
        for other, message in enumerate(others):
            if place in pairs or other in pairs.values() or not key(line) or key(line) != key(message):
                continue
            alike = likeness(line, message)
            if alike is not None:
                found.append((alike, message.at, place, other))
    return sorted(found)


def _join(ranked: Iterable[_Ranked], pairs: dict[int, int]) -> None:
    for _, _, place, other in ranked:
        if place not in pairs and other not in pairs.values():
            pairs[place] = other


def _join_everyday(lines: Sequence[Told], others: Sequence[Told], pairs: dict[int, int]) -> None:
    for place, line in enumerate(lines):
        alike = [
            other
            for other, each in enumerate(others)
            if other not in pairs.values()
            and not (each.telling or each.held)
            and (each.memo, each.day) == (line.memo, line.day)
        ]
        if alike and place not in pairs and not (line.telling or line.held or _number(line)):
            pairs[place] = min(alike, key=lambda other: others[other].at)
