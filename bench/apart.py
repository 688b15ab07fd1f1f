"""What is measured acts in a process of its own, as a task does; so does what it is measured against."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_STOP_SECONDS = 30


def apart(act: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
    """Act in a new process, which has inherited nothing; function, arguments and result are pickled."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(act, *arguments, **named).result()


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Run a server of ours until the block ends; give its process id, and what it says when it is ready.

    Raises:
        RuntimeError: It did not get ready.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError(f"{module} did not get ready: its reason stands above.")
            yield process.pid, json.loads(line)
            process.terminate()
            process.wait(_STOP_SECONDS)
        finally:
            process.kill()
