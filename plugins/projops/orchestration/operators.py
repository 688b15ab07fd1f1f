"""The operators of an area's DAG: detect, the four stages, the broken map, the finish.

Each calls one function of `projops.pipeline` and hands on a small value through XCom, never rows.
An error that a retry cannot mend fails the task at once; one that it may mend is retried.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from projops.errors import MapPausedError, ProjOpsError, TryAgainError
from projops.orchestration.outcomes import describe, outcome_table
from projops.run import LegOutcome, LegRef, RunRequest, Staged

if TYPE_CHECKING:
    from projops.engine import Engine


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn the engine's errors into Airflow's, with the sentence and without the traceback below it."""
    try:
        yield
    except TryAgainError as error:
        raise AirflowException(str(error)) from None
    except ProjOpsError as error:
        raise AirflowFailException(str(error)) from None


@contextmanager
def open_engine() -> "Iterator[Engine]":
    """Open the engine on Airflow's connections; errors come out as `one_sentence` says."""
    from projops.orchestration.connections import airflow_engine

    with one_sentence(), airflow_engine() as opened:
        yield opened


@contextmanager
def still_if_paused() -> Iterator[None]:
    """Skip the task of a map that was paused after its run had begun; what it would move comes later."""
    try:
        yield
    except MapPausedError as error:
        raise AirflowSkipException(str(error)) from None


def run_request(context: Context) -> RunRequest:
    """Read what a run was asked to do from its trigger form."""
    params, run = context["params"], context["dag_run"]
    return RunRequest(
        dag_id=run.dag_id,
        run_id=run.run_id,
        maps=tuple(params["maps"]) if params["maps"] else None,
        companies=tuple(params["companies"]) if params["companies"] else None,
        mode=params["mode"],
        manual=run.run_type == "manual",
    )


class DetectOperator(BaseOperator, SkipMixin):
    """Finds the legs that have something to move and skips all others.

    Airflow's branch operators also follow whatever lies downstream of a chosen task, which here would
    be every map that needs it; so the tasks to skip are named one by one.

    Args:
        area: Area of the DAG.
        finish_task_id: The final task, skipped too when there is nothing to do.
        has_broken: Whether a map of the area is broken, so that the final task must run.
    """

    inherits_from_skipmixin = True

    def __init__(self, *, area: str, finish_task_id: str, has_broken: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.area = area
        self.finish_task_id = finish_task_id
        self.has_broken = has_broken

    def execute(self, context: Context) -> None:
        """Ask both systems what changed; skip the first tasks of each idle leg."""
        from projops import pausing, pipeline

        with open_engine() as engine:
            due = pipeline.detect(engine, self.area, run_request(context))
            held = pausing.paused_in(engine, self.area)
        for name, pause in held.items():
            self.log.info("Map %s stays still: %s", name, pausing.described(pause))
        self.log.info("%s", f"To move: {', '.join(map(str, due))}" if due else "Nothing to move")
        wanted = {str(leg) for leg in due}
        if wanted or self.has_broken:
            wanted.add(self.finish_task_id)
        idle = [task for task in self.downstream_list if task.task_id.partition(".")[0] not in wanted]
        self.skip(context["ti"], idle)


class ExtractOperator(BaseOperator, SkipMixin):
    """Reads the changed rows of a leg into the staging area; without any, the leg ends here.

    Most exports find nothing: their three other tasks would each take a process for it.
    """

    inherits_from_skipmixin = True

    def __init__(self, *, leg: LegRef, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.map = leg.map
        self.leg = leg.leg

    def execute(self, context: Context) -> dict[str, Any]:
        """Extract; return where the rows are and how many."""
        from projops import pipeline

        with open_engine() as engine, still_if_paused():
            staged = pipeline.extract(engine, LegRef(self.map, self.leg), run_request(context))
            empty = staged.rows == 0 and staged.superseded_by is None
            outcome = pipeline.close_empty(engine, staged) if empty else None
        self.log.info("%d rows extracted", staged.rows)
        if outcome is not None:
            self.log.info("%s", describe(outcome))
            self.skip(context["ti"], self.downstream_list)
        return staged.as_json()


class StageOperator(BaseOperator):
    """Validates or transforms what the task before it has staged.

    Args:
        stage: Name of the function in `projops.pipeline`, `validate` or `transform`.
        staged: Output of the task before.
    """

    template_fields: Sequence[str] = ("staged",)

    def __init__(self, *, stage: str, staged: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage = stage
        self.staged = staged

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the stage; return where its rows are and how many."""
        from projops import pipeline

        stages = {"validate": pipeline.validate, "transform": pipeline.transform}
        with open_engine() as engine:
            staged = stages[self.stage](engine, Staged.from_json(self.staged))
        self.log.info("%d rows go on", staged.rows)
        return staged.as_json()


class LoadOperator(BaseOperator):
    """Writes the transformed rows of a leg to its target.

    Args:
        staged: Output of the transform task.
    """

    template_fields: Sequence[str] = ("staged",)

    def __init__(self, *, staged: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.staged = staged

    def execute(self, context: Context) -> dict[str, Any]:
        """Load; return how many rows came to what, and tell the target's asset."""
        from projops import pipeline

        with open_engine() as engine, still_if_paused():
            outcome = pipeline.load(engine, Staged.from_json(self.staged))
        self.log.info("%s", describe(outcome))
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {"batch": outcome.batch, "rows": outcome.loaded}
        return outcome.as_json()


class BrokenMapOperator(BaseOperator):
    """Fails with what is wrong with a mapping file; the other maps of the area run.

    Args:
        message: What is wrong: file, line and remedy of each finding.
    """

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        """Fail with the message.

        Raises:
            AirflowFailException: Always: names file, line and remedy.
        """
        raise AirflowFailException(self.message)


class FinishOperator(BaseOperator):
    """Shows what the run moved, and fails it where a task failed.

    Runs whatever became of the others, which would otherwise leave a run green in spite of them.

    Args:
        load_task_ids: The load tasks, in order.
    """

    def __init__(self, *, load_task_ids: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.load_task_ids = list(load_task_ids)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Log the run's table and return it.

        Raises:
            AirflowFailException: Tasks of the run failed; names them.
        """
        ti, run = context["ti"], context["dag_run"]
        states = ti.get_task_states(dag_id=run.dag_id, run_ids=[run.run_id])[run.run_id]
        loaded = [task_id for task_id in self.load_task_ids if states.get(task_id) == "success"]
        outcomes = [LegOutcome.from_json(value) for value in ti.xcom_pull(task_ids=loaded)] if loaded else []
        self.log.info("What this run moved\n%s", outcome_table(outcomes))
        failed = sorted(task_id for task_id, state in states.items() if state == "failed")
        if failed:
            raise AirflowFailException(
                f"Failed: {', '.join(failed)}. Their logs say why; mend the cause and clear the failed tasks."
            )
        return [outcome.as_json() for outcome in outcomes]
