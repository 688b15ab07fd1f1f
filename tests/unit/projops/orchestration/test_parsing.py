"""DAG and plugin files cost Airflow next to nothing to parse."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.utils.file import might_contain_dag_via_default_heuristic

ROOT = Path(__file__).parents[4]
HEAVY = {"pandas", "numpy", "pyarrow", "great_expectations", "aiohttp", "alembic", "airflow.providers.http"}
PROGRAM = """
import json, runpy, sys
import airflow.sdk, airflow.plugins_manager
before = set(sys.modules)
runpy.run_path(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.parametrize("file", sorted((ROOT / "dags").glob("*.py")), ids=lambda file: file.name)
def test_discovery_takes_the_file_for_one_with_dags(file: Path) -> None:
    """Airflow's safe mode reads a file only if the words dag and airflow occur in it."""
    assert might_contain_dag_via_default_heuristic(str(file))


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "dags").glob("*.py")), ROOT / "plugins" / "projops_plugin.py"],
    ids=lambda file: file.name,
)
def test_parsing_loads_no_heavy_library(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(file)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & HEAVY
    assert len(loaded) < 200
