"""The sandbox without the rest of the project: what it imports, and that a copy of its folder runs."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

from tests.contract.process import PROJECT

REQUIREMENTS = PROJECT / "sandbox" / "requirements.txt"
ASK = """
import sys, json
from pathlib import Path
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve().name != "plugins"]
import sandbox.server, sandbox.__main__
names = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([sandbox.server.__file__, "projops" in names, "airflow" in names, "runner" in names]))
"""


def _named() -> dict[str, str]:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    found = [re.fullmatch(r"([a-z-]+)(?:\[[a-z]+\])?==([0-9.]+)", line) for line in lines]
    return {match[1]: match[2] for match in found if match is not None}


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names


def test_it_imports_nothing_but_itself_and_what_its_requirements_name() -> None:
    imported = {name for file in (PROJECT / "sandbox").rglob("*.py") for name in _imported(file)}
    foreign = imported - {"sandbox"} - sys.stdlib_module_names
    distributions = packages_distributions()
    needed = {re.sub(r"[_.]", "-", distributions[name][0].lower()) for name in foreign}
    named = _named()
    assert needed <= named.keys()
    # httptools is the one that is not imported by name: uvicorn takes it for the protocol.
    assert named.keys() - needed == {"httptools"}
    assert named == {name: version(name) for name in named}


def test_a_copy_of_its_folder_runs_elsewhere(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "sandbox", tmp_path / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    place, *others = json.loads(answer.stdout)
    assert Path(place).is_relative_to(tmp_path)
    assert others == [False, False, False]
