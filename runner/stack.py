"""Sandbox and Airflow together: brought up, prepared, stopped."""

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType

from runner.airflow import Airflow, start_airflow
from runner.api import AirflowApi
from runner.errors import RunnerError
from runner.layout import Layout, new_token
from runner.processes import Process, remember, remembered, stop
from runner.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT, Addresses, start_sandbox
from runner.waiting import until

STEPS = (
    ("reference_data",),
    ("setup_and_configuration",),
    ("expense_management", "subcontract_purchase_orders", "vendor_invoices"),
    ("estimates_and_actuals",),
    ("project_invoices",),
)
"""The areas in the order in which they build on each other; those of one step run side by side."""
AREAS = tuple(area for step in STEPS for area in step)
RECONCILIATION = "nightly_reconciliation"
POOL_SLOTS = 4
_PARSED_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Stack:
    """All that runs.

    Attributes:
        layout: Where it keeps its files.
        sandbox: Where the sandbox answers.
        airflow: The running Airflow.
        processes: Every process, in the order in which it was started.
        api: Airflow's API, signed in as `admin`.
    """

    layout: Layout
    sandbox: Addresses
    airflow: Airflow
    processes: tuple[Process, ...]
    api: AirflowApi


def bring_up(layout: Layout, port: int, say: Callable[[str], None], seed: str = "demo") -> Stack:
    """Start sandbox and Airflow, make connections and pools, wait for the DAGs.

    Whatever goes wrong, what was started is stopped.

    Raises:
        RunnerError: It runs already, a port is taken or a process did not come up.
    """
    if remembered(layout.processes):
        raise RunnerError("Sandbox and Airflow are running already: stop them with 'make down' first.")
    processes: list[Process] = []

    def started(process: Process) -> None:
        processes.append(process)
        remember(processes, layout.processes)

    try:
        say("Starting the sandbox")
        sandbox = start_sandbox(layout, seed, started)
        say("Starting Airflow's components")
        airflow = start_airflow(layout, port, started, lambda airflow: _prepare(airflow, layout, sandbox))
        stack = Stack(layout, sandbox, airflow, tuple(processes), airflow.api())
        _wait_for_dags(stack)
    except BaseException:
        shut_down(processes, layout)
        raise
    return stack


def shut_down(processes: Sequence[Process], layout: Layout) -> None:
    """Stop everything; a second Ctrl-C does not leave half of it behind."""
    with _deaf_to_signals():
        stop(processes)
        layout.processes.unlink(missing_ok=True)


@contextmanager
def running(layout: Layout, port: int, say: Callable[[str], None], seed: str = "demo") -> Iterator[Stack]:
    """Bring everything up, and stop it at the end, also after an error, Ctrl-C or SIGTERM."""
    with _sigterm_as_interrupt():
        stack = bring_up(layout, port, say, seed)
        try:
            yield stack
        finally:
            stack.api.close()
            shut_down(stack.processes, layout)


def connect(api: AirflowApi, sandbox: Addresses) -> None:
    """Make the connections of both systems lead to the sandbox."""
    for name, address in (("dataverse", sandbox.dataverse), ("finance", sandbox.finance)):
        extra = json.dumps({"tenant_id": TENANT, "authority": address})
        fields = {"host": address, "login": CLIENT_ID, "password": CLIENT_SECRET, "extra": extra}
        api.put_connection(f"{name}_default", name, fields)


def _prepare(airflow: Airflow, layout: Layout, sandbox: Addresses) -> None:
    with closing(airflow.api()) as api:
        connect(api, sandbox)
        state = {"extra": json.dumps({"url": layout.state_url})}
        api.put_connection("projops_state", "generic", state)
        # With an endpoint nobody polls: the demo counts on runs that nothing but itself and the clock starts.
        secret = layout.kept("signals-secret", new_token())
        api.put_connection("projops_signals", "generic", {"host": airflow.address, "password": secret})
        for system in ("dataverse", "finance"):
            api.put_pool(system, POOL_SLOTS, f"Tasks that talk to {system} at the same time")


def _wait_for_dags(stack: Stack) -> None:
    for dag_id in (*AREAS, RECONCILIATION):
        there = partial(_there, stack.api, dag_id)
        until(there, f"the DAG {dag_id}", _PARSED_SECONDS, stack.processes)


def _there(api: AirflowApi, dag_id: str) -> bool | None:
    return api.has_dag(dag_id) or None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _deaf_to_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
