"""Running the areas through Airflow, and reading from the state what they moved."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from projops.state import StateStore
from projops.state.batches import Counts, totals
from projops.state.dead_letters import live
from runner.api import FINAL, AirflowApi, TaskState
from runner.errors import RunnerError
from runner.stack import AREAS, STEPS, Stack
from runner.waiting import until

_RUN_SECONDS = 900.0
_ROUNDS = 5

Run = tuple[str, str]
LegName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that did not arrive.

    Attributes:
        parked: Rows that wait for another row.
        dead_letters: Rows set aside with a reason, and rows that wait for approval.
        reasons: The first few reasons, one sentence each.
    """

    parked: int
    dead_letters: int
    reasons: tuple[str, ...]


def run_areas(stack: Stack, areas: Sequence[str], say: Callable[[str], None]) -> None:
    """Trigger the DAGs of some areas together and wait for their ends, telling of each leg that has ended.

    Raises:
        RunnerError: A run failed; says which tasks, and why.
    """
    runs = {area: stack.api.trigger(area) for area in areas}
    told: set[tuple[str, str]] = set()

    def ended() -> Mapping[str, str] | None:
        states = {area: stack.api.run_state(area, run_id) for area, run_id in runs.items()}
        for area, run_id in runs.items():
            for task in stack.api.tasks(area, run_id):
                if worth_telling(task) and (area, task.task_id) not in told:
                    told.add((area, task.task_id))
                    say(f"  {area}  {task.task_id}  {task.state}")
        return states if set(states.values()) <= FINAL else None

    states = until(ended, f"the runs of {', '.join(areas)}", _RUN_SECONDS, stack.processes)
    for area, state in states.items():
        if state == "failed":
            reasons = "\n".join(f"  {reason}" for reason in stack.api.failures(area, runs[area]))
            raise RunnerError(f"The run {runs[area]} of {area} failed:\n{reasons}")


def run_until_in_step(
    stack: Stack, say: Callable[[str], None], steps: Sequence[Sequence[str]] = STEPS
) -> list[int]:
    """Unpause areas and run them until a round moves nothing and no row waits.

    Rows that refer to rows of another area are parked at first and go by themselves in a later round;
    the first round runs the areas that others build on before them, so that few rows need that.

    Args:
        stack: What runs.
        say: Told of each leg and each round.
        steps: Areas in the order in which they build on each other; those of a step run side by side.

    Returns:
        How many rows moved in each round; the last is 0.

    Raises:
        RunnerError: A run failed, or rows still move or wait after some rounds.
    """
    rounds: list[int] = []
    together = [area for step in steps for area in step]
    while len(rounds) < _ROUNDS:
        before = set(all_runs(stack.api))
        for areas in steps if not rounds else (together,):
            for area in areas:
                stack.api.unpause(area)
            run_areas(stack, areas, say)
        runs = [run for run in all_runs(stack.api) if run not in before]  # the schedule's are among them
        moved = sum(counts.loaded for counts in counts_of(stack, runs).values())
        waiting = what_waits(stack)
        rounds.append(moved)
        say(
            f"Round {len(rounds)}: {moved} rows moved, {waiting.parked} wait, "
            f"{waiting.dead_letters} dead letters"
        )
        if moved == 0 and waiting.parked == 0:
            return rounds
    raise RunnerError(
        f"Not in step after {_ROUNDS} rounds; {waiting.parked} rows wait:\n" + "\n".join(waiting.reasons)
    )


def all_runs(api: AirflowApi) -> list[Run]:
    """List all runs of all areas as pairs (DAG id, run id)."""
    return [(area, run_id) for area in AREAS for run_id, _ in api.runs(area)]


def counts_of(stack: Stack, runs: Sequence[Run]) -> Mapping[LegName, Counts]:
    """Read from the state what some runs moved, by (map, leg)."""
    store = StateStore(stack.layout.state_url)
    try:
        with store.begin() as connection:
            return totals(connection, runs)
    finally:
        store.close()


def what_waits(stack: Stack) -> Waiting:
    """Read from the state which rows did not arrive."""
    store = StateStore(stack.layout.state_url)
    try:
        with store.begin() as connection:
            entries = live(connection)
    finally:
        store.close()
    parked = [entry for entry in entries if entry["status"] == "parked"]
    reasons = [f"{entry['map']} {entry['leg']} {entry['key']}: {entry['message']}" for entry in entries]
    return Waiting(len(parked), len(entries) - len(parked), tuple(reasons[:10]))


def seconds_of(api: AirflowApi, runs: Iterable[Run]) -> Mapping[LegName, float]:
    """Add up how long the tasks of each leg took, in seconds."""
    seconds: dict[LegName, float] = {}
    for dag_id, run_id in runs:
        for task in api.tasks(dag_id, run_id):
            if (leg := _leg_of(task)) is not None:
                seconds[leg] = seconds.get(leg, 0.0) + task.seconds
    return seconds


def worth_telling(task: TaskState) -> bool:
    """Whether a task's end is news: a leg was loaded, or something failed."""
    return task.state == "failed" or (task.state == "success" and task.task_id.endswith(".load"))


def _leg_of(task: TaskState) -> LegName | None:
    group, dot, _ = task.task_id.partition(".")
    map_id, bars, leg = group.partition("__")
    return (map_id, leg) if dot and bars else None
