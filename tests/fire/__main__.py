"""`python -m tests.fire --seconds 60 --database postgres`: change tracking under fire, with its figures."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.contract.process import serve_on
from tests.fire.fight import fight

_TOKEN = "sandbox-token"


def main() -> int:
    """Fight as often as asked for; return 1 where a reader ended with another table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fire", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long writers write (default 60)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--times", type=int, default=1, help="how often, each time anew (default 1)")
    options = parser.parse_args()
    failed = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fire-")))
        sandbox = stack.enter_context(serve_on(options.database, folder))
        # So many writers would meet the service protection limits, which are not what is tested here.
        unlimited = {"requests": 10**9, "execution_seconds": 10**6, "concurrent": 10**6}
        for time in range(1, options.times + 1):
            httpx.post(
                f"{sandbox.control}/sandbox/reset", json={"seed": "empty"}, timeout=60
            ).raise_for_status()
            httpx.put(f"{sandbox.control}/sandbox/limits", json=unlimited).raise_for_status()
            fought = fight(f"{sandbox.dataverse}/api/data/v9.2/", _TOKEN, options.seconds, seed=time)
            sys.stdout.write(f"{options.database}, {options.seconds:g} s: {fought}\n")
            sys.stdout.writelines(f"  {line}\n" for line in fought.differences[:20])
            failed |= bool(fought.differences or fought.left)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
