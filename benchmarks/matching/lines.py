"""Lines a second: the matcher beside a bare regular expression with a dictionary, on the transfers of the accuracy run.

The bare loops only look a reference up; ours also proves its check characters, tells amounts, accounts, pupils and
ambiguity apart, corrects what is damaged, ranks what may be meant and writes its evidence.
"""

from __future__ import annotations

import importlib.util
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from billing.payments.reference import ALPHABET
from reconciliation.deciding import decide
from reconciliation.matching import IncomingTransfer, RequestBook

Job = Callable[[], int]
_PATTERN = re.compile(f"FW[{ALPHABET}]{{9}}")


def ours(transfers: Sequence[IncomingTransfer], book: RequestBook) -> int:
    """Decide each transfer, evidence included; return for how many a bill was found, if only to be suggested."""
    found = 0
    for transfer in transfers:
        found += decide(transfer, book).bills != ()
    return found


def plain_loop(transfers: Sequence[IncomingTransfer], known: Mapping[str, int]) -> int:
    """Do what most receivers do: drop blanks, search, look up; return how many were found."""
    found = 0
    for transfer in transfers:
        hit = _PATTERN.search(transfer.memo.upper().replace(" ", ""))
        found += hit is not None and hit[0] in known
    return found


def polars_join(transfers: Sequence[IncomingTransfer], known: Mapping[str, int]) -> Job | None:
    """Return the same search as a polars join, frames ready; nothing when polars is not installed."""
    if importlib.util.find_spec("polars") is None:
        return None
    polars = importlib.import_module("polars")
    lines = polars.DataFrame({"memo": [transfer.memo for transfer in transfers]})
    issued = polars.DataFrame({"reference": list(known)})
    column = polars.col("memo").str.to_uppercase().str.replace_all(" ", "", literal=True)
    query = lines.lazy().select(column.str.extract(f"({_PATTERN.pattern})").alias("reference"))
    return lambda: query.join(issued.lazy(), on="reference").collect().height


def jobs_of(transfers: Sequence[IncomingTransfer], book: RequestBook, known: Mapping[str, int]) -> dict[str, Job]:
    """Return the ways to compare by name; ours is *ours*, its limit *regex and dict*."""
    jobs: dict[str, Job] = {
        "ours": lambda: ours(transfers, book),
        "regex and dict": lambda: plain_loop(transfers, known),
    }
    join = polars_join(transfers, known)
    if join is not None:
        jobs["polars join"] = join
    return jobs


def measure(jobs: Mapping[str, Job], lines: int, rounds: int) -> dict[str, list[float]]:
    """Run the jobs in turn, several rounds; return lines a second of each round, of this process's own time."""
    speeds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.process_time()
            job()
            speeds[name].append(lines / (time.process_time() - start))
    return speeds


def ratios(speeds: Mapping[str, Sequence[float]], name: str) -> tuple[float, float, float]:
    """Return ours against another of the same round: median, least, greatest."""
    each = [mine / other for mine, other in zip(speeds["ours"], speeds[name], strict=True)]
    return statistics.median(each), min(each), max(each)
