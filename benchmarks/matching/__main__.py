"""``python -m benchmarks.matching [--plain] [LINES]``: lines a second; exit 1 when the demanded ratio is missed.

100,000 transfers of the accuracy run unless told otherwise. Demanded: 0.15 of a bare regular expression with a
dictionary; aimed at: 0.5. Medians of three interleaved rounds, and ratios of figures of one round. Below it, as a
figure without a demand: transfers settled a second through Celery.

The rules are compiled first where there is a compiler, as ``python -m tools.compile`` does; with ``--plain`` they
run as they stand.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import cast

from service.compiled import prefer_compiled
from tools.compile import compile_rules

_PLAIN = "--plain"


def main(words: Sequence[str]) -> int:
    """Compile, say what is measured, and measure it."""
    why = "as they stand, as asked" if _PLAIN in words else compile_rules()
    if why:
        print(f"the rules run plain: {why}")
    elif prefer_compiled():
        print("the rules run compiled by mypyc")
    # Loaded only now: what is loaded before stays as it stands.
    measuring = importlib.import_module("benchmarks.matching.measuring")
    return cast("int", measuring.main([word for word in words if word != _PLAIN]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
