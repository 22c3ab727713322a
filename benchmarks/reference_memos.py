"""False references in tuition memos that carry none, and how fast memos are read.

``python -m benchmarks.reference_memos [LINES]`` makes memos as families and banks write them (names, months, classes,
phones, traces, every shape of bank), none with a reference, and counts what ``find`` takes for one. Chance allows
at most one exact window in 200,000; more and the exit code is 1. Speed is measured beside a plain regular expression
and a dictionary, on memos that do carry a reference, interleaved in one run.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import string
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from billing.payments.reference import ALPHABET, find, random_reference

LINES = 200_000
FALSE_EXACT_AT_MOST = 1
ROUNDS = 5

# Family, middle and given names; odd words with the F and W that Vietnamese has not; what families write;
# and how banks wrap it ({d6} = six digits, {x..} = capitals and digits, {h..} = hexadecimal).
WORDS: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

ALPHABETS = {"d": string.digits, "x": string.digits + string.ascii_uppercase, "h": "0123456789ABCDEF"}
_FILL = re.compile(r"\{([a-z]+)([0-9]*)\}")


class MemoMaker:
    """Makes memos from a seed; never one with a reference in it on purpose."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  test data

    def memo(self, talk: str | None = None) -> str:
        """Return one memo as the receiving bank shows it: filled in, cut into 35s by half of the banks, 140 at most."""
        shape = self._random.choice(WORDS["shapes"])
        text = self._filled(shape.replace("{talk}", talk or self._random.choice(WORDS["talk"])))
        if self._random.random() < 0.5:  # noqa: PLR2004  half of them
            text = " ".join(text[at : at + 35] for at in range(0, len(text), 35))
        return text[:140]

    def reference(self) -> str:
        """Return a reference for memos that do carry one."""
        return random_reference(self._random.randrange)

    def _filled(self, shape: str) -> str:
        return _FILL.sub(lambda hole: self._piece(hole[1], int(hole[2] or 0)), shape)

    def _piece(self, kind: str, size: int) -> str:
        """Return what fills one hole of a shape."""
        pick, number = self._random.choice, self._random.randint
        if kind in ALPHABETS:
            return "".join(self._random.choices(ALPHABETS[kind], k=size))
        name = " ".join(pick(WORDS[part]) for part in ("family", "middle", "given"))
        pieces = {
            "payer": name.upper(),
            "name": pick((name.title(), name.upper(), name.lower(), name.title().replace(" ", ""))),
            "hp": pick(("HP", "hp", "Hoc phi", "HOC PHI", "hocphi", "tien hoc")),
            "month": str(number(1, 12)),
            "grade": f"{number(1, 12)}{pick('ABCDE')}{pick(('', '1', '2', '3'))}",
            "phone": f"0{pick('35789')}{number(0, 10**8 - 1):08d}",
            "odd": pick(WORDS["odd"]),
        }
        return pieces[kind]


def count_false(lines: int) -> tuple[list[str], int, int]:
    """Return the false exact references, how many memos got a suggestion, and the memos with an F or W."""
    maker = MemoMaker(seed=9)
    exact: list[str] = []
    suggested = with_letters = 0
    for _ in range(lines):
        memo = maker.memo()
        found = find(memo)
        exact += found.exact
        suggested += bool(found.corrected)
        with_letters += not set("FWfw").isdisjoint(memo)
    return exact, suggested, with_letters


_PLAIN = re.compile(f"FW[{ALPHABET}]{{9}}")
_NOT_KEPT = re.compile("[^A-Z0-9]")


def read_ours(memos: Sequence[str], issued: dict[str, int]) -> int:
    """Return how many memos name exactly one issued reference, read by ``find``."""
    named = 0
    for memo in memos:
        exact, _ = find(memo)
        named += len(exact) == 1 and exact[0] in issued
    return named


def read_plainly(memos: Sequence[str], issued: dict[str, int]) -> int:
    """Return the same by a regular expression on the bare letters and digits: no check, no marks, no suggestions."""
    named = 0
    for memo in memos:
        hit = _PLAIN.search(_NOT_KEPT.sub("", memo.upper()))
        named += hit is not None and hit.group() in issued
    return named


def rates(lines: int) -> Iterator[tuple[str, list[float], int]]:
    """Give (name, lines a second in each round, memos named) of ours and of the plain loop, interleaved."""
    maker = MemoMaker(seed=10)
    issued = {maker.reference(): number for number in range(lines)}
    memos = [maker.memo(code) for code in issued]
    readers: dict[str, Callable[[Sequence[str], dict[str, int]], int]] = {
        "find": read_ours,
        "plain regex": read_plainly,
    }
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    named = {}
    for _ in range(ROUNDS):
        for name, reader in readers.items():
            started = time.perf_counter()
            named[name] = reader(memos, issued)
            seconds[name].append(time.perf_counter() - started)
    for name, taken in seconds.items():
        yield name, [lines / each for each in taken], named[name]


def main(words: Sequence[str]) -> int:
    """Print the counts and the speeds; return 1 when there are more false exact references than chance allows."""
    lines = int(words[0]) if words else LINES
    exact, suggested, with_letters = count_false(lines)
    print(f"{lines:,} made tuition memos without a reference, {with_letters:,} of them with an F or W")
    print(f"  false exact references   {len(exact)}  {exact}  (at most {FALSE_EXACT_AT_MOST})")
    print(f"  memos with a suggestion  {suggested:,}")
    print(f"{lines // 4:,} memos with a reference, median of {ROUNDS} interleaved rounds (slowest to fastest)")
    medians = {}
    for name, speeds, named in rates(lines // 4):
        medians[name] = statistics.median(speeds)
        spread = f"{min(speeds):>9,.0f} to {max(speeds):>9,.0f}"
        print(f"  {name:<12}{medians[name]:>10,.0f} lines/s  ({spread})  named {named:,}")
    print(f"  find / plain regex  {medians['find'] / medians['plain regex']:.2f}")
    return int(len(exact) > FALSE_EXACT_AT_MOST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
