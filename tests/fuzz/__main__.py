"""Send hostile requests to a sandbox of its own, and say what it did wrong.

python -m tests.fuzz --requests 20000 --seed 7 --database postgres
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.contract.process import serve_on
from tests.fuzz.run import NO_LIMITS, fuzz


def main() -> int:
    """Fuzz; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="how many (default 20000)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-")))
        sandbox = stack.enter_context(serve_on(asked.database, folder))
        with httpx.Client(base_url=sandbox.control, timeout=120) as control:
            control.post("/sandbox/reset", json={"seed": "demo"}).raise_for_status()
            control.put("/sandbox/limits", json=NO_LIMITS).raise_for_status()
        findings = asyncio.run(fuzz(sandbox, asked.seed, asked.requests))
        noise = (folder / "stderr.txt").read_text()
    sys.stdout.write(f"seed {asked.seed}, {asked.database}: {findings}\n{noise[-3000:]}\n")
    return 1 if findings.wrong or noise else 0


if __name__ == "__main__":
    sys.exit(main())
