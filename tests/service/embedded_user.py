"""A program of its own that uses the embedded servers, for tests that kill it: prints a JSON line, then waits.

Arguments: the state folder, and "end" to give the seat back when standard input closes (else it never does).
"""

import json
import sys
import time
from pathlib import Path

from service.embedded import Servers, ServersFailed


def main() -> None:
    """Start, say where and who, wait."""
    try:
        servers = Servers.start(Path(sys.argv[1]))
    except ServersFailed as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201  the answer
        sys.exit(1)
    facts = {"postgres": servers.superuser_url, "redis": servers.redis_url, "pids": servers.pids}
    print(json.dumps(facts), flush=True)  # noqa: T201  the answer
    if sys.argv[2:] == ["end"]:
        sys.stdin.read()
        servers.stop()
    else:
        time.sleep(600)


if __name__ == "__main__":
    main()
