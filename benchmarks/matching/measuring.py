"""Measuring, once it is settled whether the rules run compiled or as they stand."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.accuracy.__main__ import PUPILS, TRANSFERS, made
from benchmarks.matching.lines import jobs_of, measure, ratios
from benchmarks.matching.settled import settled_a_second
from reconciliation.memory_book import MemoryBook

LIMIT = "regex and dict"
DEMANDED, AIM = 0.15, 0.5
ROUNDS = 3


def main(words: Sequence[str]) -> int:
    """Measure and print; return 1 when the demanded ratio is missed."""
    lines = int(words[0]) if words else TRANSFERS
    world, labelled = made(lines, PUPILS)
    requests = [asked.request for asked in world.requests]
    jobs = jobs_of(
        [each.transfer for each in labelled],
        MemoryBook(requests, world.people),
        {request.reference: number for number, request in enumerate(requests)},
    )
    counts = {name: job() for name, job in jobs.items()}  # to warm up; not timed
    speeds = measure(jobs, lines, ROUNDS)
    print(f"{lines:,} transfers, {len(requests):,} requests, median of {ROUNDS} rounds")
    for name, each in speeds.items():
        middle, least, greatest = ratios(speeds, name)
        found = f"{counts[name]:>9,} found{statistics.median(each):>12,.0f} lines/s"
        print(f"  {name:<18}{found}   ours is {middle:.3f} of it ({least:.3f} to {greatest:.3f})")
    settled, bare = settled_a_second()
    print(f"settled through Celery, two workers: {settled:,.0f} transfers/s, {settled / bare:.3f} of bare transactions")
    reached = ratios(speeds, LIMIT)[0]
    print(f"ours beside {LIMIT}: {reached:.3f}; demanded {DEMANDED}, aimed at {AIM}")
    return int(reached < DEMANDED)
