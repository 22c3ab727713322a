"""``words``: an amount in Vietnamese words."""

from __future__ import annotations

import argparse
import re

from billing.documents.words import amount_in_words
from billing.money import Money
from service.commands.answers import YES, unusable

_AMOUNT = re.compile("[0-9]{1,30}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the amount."""
    parser.add_argument("amount", metavar="AMOUNT", help="số đồng, chỉ gồm chữ số")


def run(arguments: argparse.Namespace) -> int:
    """Print the amount in words."""
    if not _AMOUNT.fullmatch(arguments.amount):
        return unusable(f"Số tiền chỉ gồm 1 đến 30 chữ số, không phải {arguments.amount[:40]!r}.")
    print(amount_in_words(Money(int(arguments.amount))))
    return YES
