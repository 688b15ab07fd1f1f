"""DAG and plugin files cost Airflow next to nothing to parse."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.utils.file import might_contain_dag_via_default_heuristic

ROOT = Path(__file__).parents[4]
HEAVY = {
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "matplotlib",
    "great_expectations",
    "aiohttp",
    "alembic",
    "fastapi",
    "airflow.providers.http",
}
FILES = [*sorted((ROOT / "dags").glob("*.py")), ROOT / "plugins" / "projops_plugin.py"]
# Airflow is loaded once, as in its own processes; each file then runs in a child that knows of no other.
PROGRAM = """
import json, os, runpy, sys
import airflow.sdk, airflow.plugins_manager
before = set(sys.modules)
for file in sys.argv[1:]:
    child = os.fork()
    if not child:
        runpy.run_path(file)
        print(json.dumps([file, sorted(set(sys.modules) - before)]), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{file} cannot be run")
import projops.orchestration.warming
projops.orchestration.warming.warm_parsing()
print(json.dumps(["warmed", sorted(set(sys.modules) - before)]), flush=True)
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """The modules that each file loads besides Airflow's own."""
    command = [sys.executable, "-c", PROGRAM, *map(str, FILES)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    told = (line for line in done.stdout.splitlines() if line.startswith("["))
    return {file: set(modules) for file, modules in map(json.loads, told)}


@pytest.mark.parametrize("file", sorted((ROOT / "dags").glob("*.py")), ids=lambda file: file.name)
def test_discovery_takes_the_file_for_one_with_dags(file: Path) -> None:
    """Airflow's safe mode reads a file only if the words dag and airflow occur in it."""
    assert might_contain_dag_via_default_heuristic(str(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_parsing_loads_no_heavy_library(loaded: dict[str, set[str]], file: Path) -> None:
    assert not loaded[str(file)] & HEAVY
    assert len(loaded[str(file)]) < 200


def test_a_processor_is_warmed_with_all_that_its_files_load_and_nothing_heavy(
    loaded: dict[str, set[str]],
) -> None:
    warmed = loaded["warmed"]
    assert not warmed & HEAVY
    dags = (modules for file, modules in loaded.items() if file.endswith(".py") and "/dags/" in file)
    ours = {name for modules in dags for name in modules if name.startswith("projops")}
    assert len(ours) > 20
    assert ours - warmed == set()
