"""The operators of an area's DAG: detect, the four stages, the broken map, the finish.

Each calls one function of `projops.pipeline` and hands on a small value through XCom, never rows.
An error that a retry cannot mend fails the task at once; one that it may mend is retried.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink, Context
from airflow.sdk.bases.skipmixin import SkipMixin

from projops.lineage.moved import Moved
from projops.orchestration.assets import only_signals
from projops.orchestration.engine_task import ConsequenceError, EngineOperator, open_engine, still_if_paused
from projops.orchestration.failures import note_rest
from projops.orchestration.links import DataDocsLink, DeadLettersLink, TableMapLink, TableMapsLink
from projops.orchestration.metrics import count_batch, timed_stage
from projops.orchestration.outcomes import describe, outcome_table
from projops.run import LegOutcome, LegRef, RunRequest, Staged

if TYPE_CHECKING:
    from projops.engine import Engine
    from projops.orchestration.openlineage import Lineage


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


def _only_signals(context: Context) -> bool:
    """Say whether the run was started by what both systems told of changes, and by nothing else."""
    events = context["dag_run"].consumed_asset_events
    return only_signals(event.asset.name for event in events)


def _group(task_id: str) -> str:
    """The leg that a task belongs to, or the id of a task of the whole run."""
    return task_id.partition(".")[0]


class DetectOperator(EngineOperator, SkipMixin):
    """Finds the legs that have something to move and skips all tasks of all others.

    Airflow's branch operators also follow whatever lies downstream of a chosen task, which here would
    be every map that needs it; so the tasks to skip are named one by one. All tasks of an idle leg are: the
    scheduler would skip those behind the first itself, but looks at each again in every loop until it has.

    Args:
        area: Area of the DAG.
        finish_task_id: The final task, skipped too when there is nothing to do.
        has_broken: Whether a map of the area is broken, so that the final task must run.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (TableMapsLink(),)
    inherits_from_skipmixin = True

    def __init__(self, *, area: str, finish_task_id: str, has_broken: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.area = area
        self.finish_task_id = finish_task_id
        self.has_broken = has_broken

    _due: Sequence[LegRef] = ()

    def execute(self, context: Context) -> None:
        """Ask both systems what changed; skip the first tasks of each idle leg."""
        from projops import pausing, pipeline

        request = replace(run_request(context), signalled=_only_signals(context))
        with open_engine() as engine:
            self._due = due = pipeline.detect(engine, self.area, request)
            if request.maps is None and not request.signalled:  # else not all of the area was looked at
                note_rest(engine, self.area, due)
            held = pausing.paused_in(engine, self.area)
        for name, pause in held.items():
            self.log.info("Map %s stays still: %s", name, pausing.described(pause))
        self.log.info("%s", f"To move: {', '.join(map(str, due))}" if due else "Nothing to move")
        wanted = {str(leg) for leg in due}
        if wanted or self.has_broken:
            wanted.add(self.finish_task_id)
        idle = [task for task in self.get_flat_relatives() if _group(task.task_id) not in wanted]
        self.skip(context["ti"], idle)

    def lineage(self, engine: "Engine") -> "Lineage":
        """Say whom it asked for changes."""
        from projops.orchestration.leg_lineage import detect_lineage

        return detect_lineage(engine, self.area, self._due)


class LegOperator(EngineOperator):
    """A task of a leg: it remembers what it did, for its lineage and its links."""

    operator_extra_links: Collection[BaseOperatorLink] = (TableMapLink(),)
    moved: Moved | None = None

    def lineage(self, engine: "Engine") -> "Lineage | None":
        """Say what the task read and wrote; a task that failed, what it was to read."""
        from projops.orchestration.leg_lineage import leg_lineage

        return leg_lineage(engine, self.moved) if self.moved is not None else None


class ExtractOperator(LegOperator, SkipMixin):
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

        leg = LegRef(self.map, self.leg)
        self.moved = Moved(leg, "extract")
        with open_engine() as engine, still_if_paused(), timed_stage(leg, "extract"):
            staged = pipeline.extract(engine, leg, run_request(context))
            self.moved = Moved(leg, "extract", given=staged)
            empty = staged.rows == 0 and staged.superseded_by is None
            outcome = pipeline.close_empty(engine, staged) if empty else None
        self.log.info("%d rows extracted", staged.rows)
        if outcome is not None:
            count_batch(outcome)
            self.log.info("%s", describe(outcome))
            rest = [
                task for task in self.get_flat_relatives() if _group(task.task_id) == _group(self.task_id)
            ]
            self.skip(context["ti"], rest)
        return staged.as_json()


class StageOperator(LegOperator):
    """Validates or transforms what the task before it has staged.

    Args:
        stage: Name of the function in `projops.pipeline`, `validate` or `transform`.
        staged: Output of the task before.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (TableMapLink(), DeadLettersLink())
    template_fields: Sequence[str] = ("staged",)

    def __init__(self, *, stage: str, staged: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage = stage
        self.staged = staged

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the stage; return where its rows are and how many."""
        from projops import pipeline

        stages = {"validate": pipeline.validate, "transform": pipeline.transform}
        taken = Staged.from_json(self.staged)
        self.moved = Moved(LegRef(taken.map, taken.leg), self.stage, taken)
        with open_engine() as engine, timed_stage(self.moved.leg, self.stage):
            staged = stages[self.stage](engine, taken)
        self.moved = replace(self.moved, given=staged)
        self.log.info("%d rows go on", staged.rows)
        return staged.as_json()


class ValidateOperator(StageOperator):
    """Validates what was extracted, and leads to the Data Docs of the batch."""

    operator_extra_links: Collection[BaseOperatorLink] = (TableMapLink(), DeadLettersLink(), DataDocsLink())
    page: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the stage; return where its rows are and how many."""
        taken = Staged.from_json(self.staged)
        self.page = (
            f"docs/{taken.map}/{taken.leg}/{taken.batch}/index.html"  # also where the breaker stops it
        )
        return super().execute(context)


class LoadOperator(LegOperator):
    """Writes the transformed rows of a leg to its target.

    Args:
        staged: Output of the transform task.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (TableMapLink(), DeadLettersLink())
    template_fields: Sequence[str] = ("staged",)

    def __init__(self, *, staged: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.staged = staged

    def execute(self, context: Context) -> dict[str, Any]:
        """Load; return how many rows came to what, and tell the target's asset if any was written."""
        from projops import pipeline

        taken = Staged.from_json(self.staged)
        self.moved = Moved(LegRef(taken.map, taken.leg), "load", taken)
        with open_engine() as engine, still_if_paused(), timed_stage(self.moved.leg, "load"):
            outcome = pipeline.load(engine, taken)
            numbers = _event_numbers(engine, outcome)
        self.moved = replace(self.moved, outcome=outcome)
        count_batch(outcome)
        self.log.info("%s", describe(outcome))
        if outcome.loaded == 0:
            # Airflow tells the assets that a task has when it ends; without rows nobody is to wake up.
            self.outlets = []
        for asset in self.outlets:
            context["outlet_events"][asset].extra = numbers
        return outcome.as_json()


def _event_numbers(engine: "Engine", outcome: LegOutcome) -> dict[str, Any]:
    from projops.lineage.batches import event_numbers
    from projops.state import quality
    from projops.state.batches import get_batch

    with engine.state.begin() as connection:
        batch = get_batch(connection, outcome.batch)
        found = quality.of_batch(connection, outcome.batch)
    return event_numbers(batch, outcome, found)


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
            ConsequenceError: Always: names file, line and remedy.
        """
        raise ConsequenceError(self.message)


class FinishOperator(EngineOperator):
    """Shows what the run moved, and fails it where a task failed.

    Runs whatever became of the others, which would otherwise leave a run green in spite of them.

    Args:
        load_task_ids: The load tasks, in order.
    """

    def __init__(self, *, load_task_ids: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.load_task_ids = list(load_task_ids)

    operator_extra_links: Collection[BaseOperatorLink] = (TableMapsLink(),)
    concludes = True  # of a run: then alerts are seen to

    _outcomes: Sequence[LegOutcome] = ()

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Log the run's table and return it.

        Raises:
            ConsequenceError: Tasks of the run failed; names them.
        """
        ti, run = context["ti"], context["dag_run"]
        states = ti.get_task_states(dag_id=run.dag_id, run_ids=[run.run_id])[run.run_id]
        loaded = [task_id for task_id in self.load_task_ids if states.get(task_id) == "success"]
        outcomes = [LegOutcome.from_json(value) for value in ti.xcom_pull(task_ids=loaded)] if loaded else []
        self._outcomes = outcomes
        self.log.info("What this run moved\n%s", outcome_table(outcomes))
        failed = sorted(task_id for task_id, state in states.items() if state == "failed")
        if failed:
            raise ConsequenceError(
                f"Failed: {', '.join(failed)}. Their logs say why; mend the cause and clear the failed tasks."
            )
        return [outcome.as_json() for outcome in outcomes]

    def lineage(self, engine: "Engine") -> "Lineage":
        """Say what the run has written."""
        from projops.orchestration.leg_lineage import finish_lineage

        return finish_lineage(engine, self._outcomes)
