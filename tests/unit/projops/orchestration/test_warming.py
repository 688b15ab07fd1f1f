"""A warm worker: what its tasks import late is there before it forks them, and nothing runs beside it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from projops.orchestration import warming

_PACKAGE = Path(warming.__file__).parents[1]
_IN_A_TASK = (
    "orchestration/*operators.py",
    "orchestration/engine_task.py",
    "orchestration/failures.py",
    "orchestration/metrics.py",
    "orchestration/alert_sending.py",
    "passes.py",
    "pipeline.py",
)
_WARMED = """
import sys, threading
from projops.orchestration.warming import warm
warm()
print(threading.active_count(), *sys.modules)
"""


def _late_imports(path: Path) -> Iterator[str]:
    """Modules of ours that functions import: type checkers' imports stand on the level of the module."""
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("projops"):
                    yield node.module or ""


def test_what_tasks_import_late_is_warm_and_no_thread_runs() -> None:
    done = subprocess.run([sys.executable, "-c", _WARMED], capture_output=True, text=True, check=True)
    threads, *modules = done.stdout.splitlines()[-1].split()
    files = [file for each in _IN_A_TASK for file in _PACKAGE.glob(each)]
    late = {name for file in files for name in _late_imports(file)}
    assert len(late) > 10
    assert late - set(modules) - set(warming.LINEAGE_MODULES) == set()
    assert (
        int(threads) == 1
    )  # a thread that holds a lock while its process forks holds it in the child for ever
