"""An append-only file of JSON lines: what was written before a kill -9 is there after the next start."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """One JSON object a line. A line cut off by a kill is skipped, and the next line starts on its own."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o600)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def append(self, entry: dict[str, Any]) -> None:
        """Write one entry, in one piece."""
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            written = os.write(self._file, line)
        if written != len(line):
            raise OSError("the disk took only a part of a line")

    def entries(self) -> Iterator[dict[str, Any]]:
        """Read all whole entries, oldest first."""
        for line in self._path.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry

    def close(self) -> None:
        """Give the file back; nothing is waiting to be written."""
        os.close(self._file)
