"""How a process that writes thousands of rows, or takes them in, comes up and lets Python collect its garbage."""

from __future__ import annotations

import gc

from sqlalchemy.orm import configure_mappers

_NEW_OBJECTS = 50_000


def settle() -> None:
    """Leave alone what is loaded, and look for circles seldom; called once, when everything is imported.

    What is loaded stays for good: the collector need not look at it again, nor fork's copies write to it. A round is
    tens of thousands of objects that live until it is issued and hold no circles; to look at them after every seven
    hundred new ones, as Python does, costs a tenth of the time.
    """
    configure_mappers()  # else the first job waits for it
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
