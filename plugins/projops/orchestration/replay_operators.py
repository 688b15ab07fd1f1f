"""The operators of the replay DAG: choose dead letters, run their areas, report what became of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, DagRunTriggerException

from projops.orchestration.engine_task import EngineOperator, open_engine

if TYPE_CHECKING:
    from projops.engine import Engine
    from projops.fates import Fate
    from projops.replay import Decided, Selection

CHOSEN = "chosen"
_SECONDS_BETWEEN_LOOKS = 2
_MOST_NAMED = 20
_Decide = Callable[["Engine", "Selection", str, str], "Decided"]


def _replay(engine: "Engine", wanted: "Selection", reason: str, actor: str) -> "Decided":
    from projops.replay import replay

    del reason
    return replay(engine.state, wanted, actor)


def _approve(engine: "Engine", wanted: "Selection", reason: str, actor: str) -> "Decided":
    from projops.replay import approve

    del reason
    return approve(engine.state, wanted, actor)


def _dismiss(engine: "Engine", wanted: "Selection", reason: str, actor: str) -> "Decided":
    from projops.replay import dismiss

    return dismiss(engine.state, wanted, reason, actor)


VERBS: Mapping[str, _Decide] = {"replay": _replay, "approve": _approve, "dismiss": _dismiss}


class ChooseOperator(EngineOperator):
    """Carries out the decision of the form; the audit trail names who has triggered the run."""

    writes = ("dead_letter", "audit")

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Mark the entries; return the areas to run, each with its maps.

        Raises:
            AirflowFailException: The form names entries that are not there, or lacks a reason.
        """
        from projops.replay import Selection

        form = context["params"]
        wanted = Selection(tuple(form["numbers"] or ()), form["map"], form["error"], form["everything"])
        if wanted == Selection():
            self.log.info("Nothing was chosen: name numbers, a map or an error in the form, or tick all.")
            context["ti"].xcom_push(CHOSEN, {"count": 0, "refused": [], "at": None})
            return []
        actor = context["dag_run"].triggering_user_name or "airflow"
        with open_engine() as engine:
            done = VERBS[form["action"]](engine, wanted, form["reason"] or "", actor)
            runs = [] if form["action"] == "dismiss" else self._runs(engine, done)
        self.log.info("%d dead letters: %s by %s", done.count, form["action"], actor)
        for sentence in done.stays:
            self.log.warning("%s", sentence)
        refused = [number for number in done.left if number in wanted.numbers]
        chosen = {"count": done.count, "refused": refused, "at": done.at.isoformat()}
        context["ti"].xcom_push(CHOSEN, chosen)
        return runs

    def _runs(self, engine: "Engine", done: "Decided") -> list[dict[str, Any]]:
        """Give the areas and their maps; a map without tasks in its DAG can only go by the command line."""
        areas: dict[str, list[str]] = {}
        for name in done.maps:
            table_map = engine.maps.get(name)
            if table_map is None or not table_map.enabled:
                self.log.warning("Map %s is broken or off: `projops maps list` says which.", name)
            else:
                areas.setdefault(table_map.area, []).append(name)
        return [{"area": area, "maps": maps} for area, maps in areas.items()]


class RunAreaOperator(BaseOperator):
    """Runs some maps in the DAG of their area, and waits for its end in the triggerer.

    What the standard provider's TriggerDagRunOperator does: its module loads Airflow's database models,
    which takes longer than a DAG file may take to parse.

    Args:
        area: Area, and id of its DAG.
        maps: Maps to run.
    """

    template_fields: Sequence[str] = ("area", "maps")

    def __init__(self, *, area: str, maps: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.area = area
        self.maps = maps

    def execute(self, context: Context) -> None:
        """Trigger the area's DAG.

        Raises:
            AirflowFailException: That DAG is paused: its run would wait for ever.
            DagRunTriggerException: Always else; it is how a task asks Airflow for a run.
        """
        ti = context["ti"]
        if ti.get_dag(self.area).is_paused:
            raise AirflowFailException(
                f"DAG {self.area} is paused, so the rows of {', '.join(self.maps)} stay marked. "
                "Unpause it, and they go with its next run."
            )
        raise DagRunTriggerException(
            trigger_dag_id=self.area,
            dag_run_id=f"{context['dag_run'].run_id}__{self.area}__{ti.try_number}",
            conf={"maps": list(self.maps)},
            reset_dag_run=False,
            skip_when_already_exists=False,
            wait_for_completion=True,
            allowed_states=["success"],
            failed_states=["failed"],
            poke_interval=_SECONDS_BETWEEN_LOOKS,
            deferrable=True,
        )

    def execute_complete(self, context: Context, event: tuple[str, dict[str, Any]]) -> None:
        """Take the run's end from the triggerer.

        Raises:
            AirflowFailException: The run failed.
        """
        del context
        facts = event[1]
        for run_id in facts["run_ids"]:
            if facts.get(run_id) != "success":
                raise AirflowFailException(
                    f"The run {run_id} of {self.area} failed; the logs of its tasks say why."
                )


class ReportOperator(EngineOperator):
    """Says what became of the entries that were chosen.

    Args:
        choose_task_id: Task that chose them.
    """

    reads = ("dead_letter",)

    def __init__(self, *, choose_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choose_task_id = choose_task_id

    def execute(self, context: Context) -> None:
        """Log the fates of entries, and push how many came to which status as `became`.

        Raises:
            AirflowFailException: Entries that were to go are still there.
        """
        from projops.fates import fates

        ti = context["ti"]
        chosen = ti.xcom_pull(task_ids=self.choose_task_id, key=CHOSEN)
        if chosen is None:
            raise AirflowFailException(f"Nothing was done: {self.choose_task_id} failed; its log says why.")
        if not chosen["count"] and not chosen["refused"]:
            self.log.info("No dead letter was chosen.")
            return
        with open_engine() as engine:
            found = fates(engine.state, datetime.fromisoformat(chosen["at"]))
        self.log.info("What became of them\n%s", "\n".join(map(_line, found.first)))
        ti.xcom_push("became", dict(found.statuses))
        still = [each.number for each in found.first if each.is_open] + chosen["refused"]
        if still:
            more = found.still_live + len(chosen["refused"]) - len(still[:_MOST_NAMED])
            numbers = ", ".join(map(str, sorted(still)[:_MOST_NAMED])) + (f" and {more} more" if more else "")
            raise AirflowFailException(f"Still there: {numbers}. The log of this task and of choose say why.")


def _line(fate: "Fate") -> str:
    return f"{fate.number:>7}  {fate.map} {fate.key or ''}  {fate.status}: {fate.sentence}"
