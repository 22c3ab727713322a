"""Programs that end when the program that started them ends, in whatever way.

The parent keeps the writing end of a pipe and hands the reading end to the child in ``HOCPHI_LIFELINE``. When the
pipe closes, the child asks itself to end and, if that takes too long, ends at once. On Linux the kernel also sends
a signal, which reaches a child too busy to look at the pipe.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

VARIABLE = "HOCPHI_LIFELINE"
GRACE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


def hold() -> None:
    """End with the parent, if there is a parent that gave us a lifeline; called once, at the start."""
    given = os.environ.pop(VARIABLE, None)
    if given is None:
        return
    handle = int(given)
    os.set_inheritable(handle, False)  # noqa: FBT003  no keyword there
    end_with_parent(signal.SIGTERM)
    threading.Thread(target=_watch, args=(handle,), name="hocphi-lifeline", daemon=True).start()


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send us a signal when the thread that forked us ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _watch(handle: int) -> None:
    os.read(handle, 1)  # returns when no writer is left
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
