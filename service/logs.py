"""How the running programs write what they do: one line each on standard error, in UTC."""

from __future__ import annotations

import logging
import time

from service.compiled import in_use

_log = logging.getLogger(__name__)


def write_logs(program: str) -> None:
    """Set up logging for one program; libraries are heard from warnings on. Say whether its rules are compiled."""
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03dZ {program} %(levelname)s %(name)s: %(message)s")
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = None
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for room in ("service", "billing", "reconciliation", "notifications"):
        logging.getLogger(room).setLevel(logging.INFO)
    _log.info("the rules of matching run %s", "compiled" if in_use() else "as they stand, which is slower")
