"""The matcher beside a plain Python regex loop and polars, interleaved, on made tuition transfers.

``python -m benchmarks.matching [LINES]``: prints medians of three rounds and ratios. The peers only look a
reference up; ours also proves its check characters, tells amounts, accounts, pupils and ambiguity apart, and writes
its evidence.
"""

from __future__ import annotations

import importlib.util
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random

from billing.money import Money
from billing.payments.reference import ALPHABET, reference_for
from reconciliation.feeds.memo_damage import ROUTES, Sent, damage
from reconciliation.matching import POSTING, IncomingTransfer, OpenRequest, decide
from reconciliation.memory_book import MemoryBook

LINES = 200_000
ROUNDS = 3
SEED = 7
ACCOUNT = "0123456789"
WITHOUT_REFERENCE = 0.03
LOWER_CASE = 0.05
KEY = b"key of this benchmark"
PATTERN = re.compile(f"FW[{ALPHABET}]{{9}}")


def transfers_of(references: Sequence[str], random: Random) -> list[IncomingTransfer]:
    """Return one transfer for each request, as banks deliver them; some without a reference, some in lower case."""
    routes = sorted(ROUTES)
    moment = datetime(2025, 9, 8, tzinfo=UTC)
    made = []
    for number, reference in enumerate(references):
        typed = reference.lower() if random.random() < LOWER_CASE else reference
        memo = f"{'' if random.random() < WITHOUT_REFERENCE else typed} hoc phi thang 9"
        sent = Sent(
            memo=memo,
            payer_name="Nguyen Van An",
            payer_account=f"{number:010d}",
            to_name="TH AN BINH",
            to_account=ACCOUNT,
            at=moment,
        )
        arrived = damage(sent, random.choice(routes), random)
        made.append(IncomingTransfer(id=str(number), amount=Money(650_000), memo=arrived, account=ACCOUNT))
    return made


def requests_of(references: Sequence[str]) -> list[OpenRequest]:
    """Return one open request of 650 000 đ for each reference."""
    return [
        OpenRequest(
            reference=reference,
            pupil=f"p{number}",
            family=f"f{number}",
            school="s",
            account=ACCOUNT,
            due=Money(650_000),
        )
        for number, reference in enumerate(references)
    ]


def ours(transfers: Sequence[IncomingTransfer], book: MemoryBook) -> int:
    """Decide each transfer; return how many moved money."""
    return sum(decide(transfer, book).outcome in POSTING for transfer in transfers)


def plain_loop(transfers: Sequence[IncomingTransfer], known: dict[str, int]) -> int:
    """Do what most receivers do: drop blanks, search, look up."""
    found = 0
    for transfer in transfers:
        hit = PATTERN.search(transfer.memo.upper().replace(" ", ""))
        found += hit is not None and hit[0] in known
    return found


def polars_join(transfers: Sequence[IncomingTransfer], known: dict[str, int]) -> Callable[[], int] | None:
    """Return the same search as a polars join, frames ready; nothing when polars is not installed."""
    if importlib.util.find_spec("polars") is None:
        return None
    polars = importlib.import_module("polars")
    lines = polars.DataFrame({"memo": [transfer.memo for transfer in transfers]})
    issued = polars.DataFrame({"reference": list(known)})
    column = polars.col("memo").str.to_uppercase().str.replace_all(" ", "", literal=True)
    query = lines.lazy().select(column.str.extract(f"({PATTERN.pattern})").alias("reference"))
    return lambda: query.join(issued.lazy(), on="reference").collect().height


def measure(jobs: dict[str, Callable[[], int]], lines: int) -> dict[str, float]:
    """Run the jobs in turn, several rounds; return lines a second for each (median)."""
    speeds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            start = time.perf_counter()
            matched = job()
            speeds[name].append(lines / (time.perf_counter() - start))
            print(f"  {name:<28}{matched:>9} matched")
    return {name: statistics.median(values) for name, values in speeds.items()}


def main(lines: int) -> None:
    """Print the table."""
    random = Random(SEED)  # noqa: S311  chance, not secrecy
    references = [reference_for(number, KEY) for number in range(lines)]
    transfers = transfers_of(references, random)
    book = MemoryBook(requests_of(references))
    known = {reference: number for number, reference in enumerate(references)}
    jobs = {"ours": lambda: ours(transfers, book), "regex and dict": lambda: plain_loop(transfers, known)}
    join = polars_join(transfers, known)
    if join is None:
        print("polars is not installed: left out")
    else:
        jobs["polars join"] = join
    assert jobs["ours"]() >= jobs["regex and dict"]() * 0.999, "the matcher must not find less than a plain search"
    speeds = measure(jobs, lines)
    for name, speed in speeds.items():
        print(f"{name:<28}{speed:>12,.0f} lines/s   ours is {speeds['ours'] / speed:5.2f} of it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
