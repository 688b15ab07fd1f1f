"""What a DAG file costs the DAG processor: each is parsed in a fork of a process that is warm as it is.

python -m bench.dag_files 5
"""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from projops.settings import PROJECT_ROOT

HEAVY = ("pandas", "pyarrow", "great_expectations", "duckdb", "alembic", "matplotlib")


def parse(path: Path, told: Connection) -> None:
    """Parse a file as the processor does; tell how long it took, and what heavy modules it brought in."""
    from airflow.dag_processing.dagbag import DagBag

    began, busy = time.perf_counter(), time.process_time()
    bag = DagBag(path, bundle_path=path.parent, bundle_name="bench")
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    if bag.import_errors or not bag.dags:
        raise AssertionError(f"{path.name} has no DAG: {bag.import_errors}")
    heavy = sorted(name for name in HEAVY if name in sys.modules)
    told.send({"file": path.name, "seconds": seconds, "cpu_seconds": cpu, "heavy": heavy})


def main(repeats: int) -> None:
    """Parse each file as often as asked, in turn; print a line of JSON a parse."""
    home = tempfile.mkdtemp()
    os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins")}
    os.environ |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__UNIT_TEST_MODE": "False"}
    import airflow.dag_processing.manager  # noqa: F401  what the processor is, before it forks

    from projops.orchestration.warming import warm_parsing

    warm_parsing()  # as config/airflow_local_settings.py does

    forked = multiprocessing.get_context("fork")
    for _ in range(repeats):
        for path in sorted((PROJECT_ROOT / "dags").glob("*.py")):
            ours, theirs = forked.Pipe(duplex=False)
            child = forked.Process(target=parse, args=(path, theirs))
            child.start()
            theirs.close()
            told: dict[str, Any] = ours.recv()
            child.join()
            print(json.dumps(told), flush=True)  # noqa: T201  its output


if __name__ == "__main__":
    main(int(sys.argv[1]))
