"""Every task by name, with the job that does its work. A job drains what waits, may run twice and in parallel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from service.jobs import (
    accounts,
    cards,
    months,
    notifying,
    polling,
    printing,
    reconciling,
    reminding,
    rounds,
    sealing,
    texting,
)
from service.wiring import Wiring

Job = Callable[[Wiring], int]

JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "reconciliation.normalise": reconciling.normalise,
        "reconciliation.settle": reconciling.settle,
        "billing.issue_rounds": rounds.issue,
        "billing.open_accounts": accounts.open_accounts,
        "billing.print_slips": printing.print_slips,
        "billing.close_months": months.close_months,
        "notifications.remind": reminding.remind,
        "notifications.plan": notifying.plan,
        "notifications.send": notifying.send,
        "ledger.seal": sealing.seal,
        "notifications.look": texting.look,
        "reconciliation.cards": cards.cards,
        "reconciliation.poll": polling.poll,
    }
)
