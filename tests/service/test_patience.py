"""Many waits share one limit: what is in time goes on, what is late ends, and who is cancelled stays cancelled."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from service.patience import Patience


async def told(answer: str) -> str:
    await asyncio.sleep(0)
    return answer


async def never() -> str:
    await asyncio.get_running_loop().create_future()
    return "never"


def test_what_is_in_time_goes_on_and_what_is_late_ends() -> None:
    async def all_at_once() -> list[str | BaseException]:
        patience = Patience(0.05)
        waits = [patience.wait_for(told("a")), patience.wait_for(never()), patience.wait_for(told("b"))]
        return await asyncio.gather(*waits, return_exceptions=True)

    first, late, last = asyncio.run(all_at_once())
    assert (first, last) == ("a", "b")
    assert isinstance(late, TimeoutError)


def test_a_late_one_can_be_waited_for_again_and_goes_on_living() -> None:
    async def twice() -> str:
        patience = Patience(0.05)
        with pytest.raises(TimeoutError):
            await patience.wait_for(never())
        await asyncio.sleep(0.1)  # nobody is cancelled who waits no longer
        return await patience.wait_for(told("still here"))

    assert asyncio.run(twice()) == "still here"


def test_who_is_cancelled_by_others_stays_cancelled() -> None:
    async def cancelled() -> None:
        waiting = asyncio.create_task(Patience(60).wait_for(never()))
        await asyncio.sleep(0)
        waiting.cancel()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_a_failure_is_told_as_it_is() -> None:
    async def failing() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(Patience(60).wait_for(failing()))


def test_one_timer_serves_all_and_none_is_left_when_nobody_waits() -> None:
    async def many() -> tuple[int, bool]:
        loop, patience = asyncio.get_running_loop(), Patience(0.1)
        with patch.object(loop, "call_later", wraps=loop.call_later) as timers:
            await asyncio.gather(*(patience.wait_for(told("x")) for _ in range(100)))
        await asyncio.sleep(0.05)
        return timers.call_count, patience._looking is None

    assert asyncio.run(many()) == (1, True)
