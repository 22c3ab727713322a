"""Head and body of an answer leave together, nothing waits, and no byte changes place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.one_write import Gathering

TURN = b"turn"  # not a piece: the loop goes on


class Below(asyncio.Transport):
    """A transport that keeps what is written, call by call."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.7", 5)})
        self.written: list[bytes] = []
        self.calls: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closing()
        self.written.append(bytes(data))

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")

    def is_closing(self) -> bool:
        return bool({"close", "abort"} & set(self.calls))

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def played(pieces: Sequence[bytes]) -> list[bytes]:
    """Write pieces, let the loop turn where the list says so and at the end; return the writes below."""

    async def play() -> list[bytes]:
        below = Below()
        above = Gathering(below, asyncio.get_running_loop())
        for piece in pieces:
            if piece is TURN:
                await asyncio.sleep(0)
            else:
                above.write(piece)
        await asyncio.sleep(0)
        return below.written

    return asyncio.run(play())


def test_head_and_body_leave_in_one_write() -> None:
    assert played([b"head", b"body"]) == [b"headbody"]


def test_a_head_alone_leaves_when_the_loop_turns() -> None:
    assert played([b"head", TURN, b"body"]) == [b"head", b"body"]


def test_of_a_long_stream_only_one_piece_is_ever_held() -> None:
    assert played([b"head", b"1", b"2", b"3", b"4"]) == [b"head1", b"23", b"4"]


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=5), st.just(TURN)), max_size=30))
def test_no_byte_is_lost_or_changes_place(pieces: list[bytes]) -> None:
    written = played(pieces)
    sent = [piece for piece in pieces if piece is not TURN]
    assert b"".join(written) == b"".join(sent)
    assert len(written) <= len(sent)


def test_closing_sends_what_is_held_and_aborting_does_not() -> None:
    async def play() -> None:
        for end, left in (("close", [b"head"]), ("abort", [])):
            below = Below()
            above = Gathering(below, asyncio.get_running_loop())
            above.write(b"head")
            getattr(above, end)()
            await asyncio.sleep(0)
            assert (below.written, below.calls) == (left, [end])
            assert above.is_closing()

    asyncio.run(play())


def test_nothing_is_written_to_a_connection_that_is_gone() -> None:
    async def play() -> None:
        below = Below()
        above = Gathering(below, asyncio.get_running_loop())
        above.write(b"head")
        below.close()
        await asyncio.sleep(0)
        assert below.written == []

    asyncio.run(play())


@pytest.mark.parametrize("call", ["pause_reading", "resume_reading"])
def test_reading_is_paused_below(call: str) -> None:
    async def play() -> None:
        below = Below()
        above = Gathering(below, asyncio.get_running_loop())
        getattr(above, call)()
        assert below.calls == [call.removesuffix("_reading")]
        assert above.get_extra_info("peername") == ("203.0.113.7", 5)

    asyncio.run(play())
