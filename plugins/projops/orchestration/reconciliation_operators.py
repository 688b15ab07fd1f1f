"""The operators of the reconciliation DAG: begin, compare, repair, check the books, report, judge.

Each calls one function of `projops.reconcile`. What was found stays in the state and in the staging area;
XCom carries numbers. Any of them may be cleared and run again: it replaces what its earlier try has written.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink, Context
from airflow.sdk.exceptions import AirflowSkipException

from projops.orchestration.engine_task import ConsequenceError, EngineOperator, open_engine
from projops.orchestration.links import ReportLink
from projops.reconcile.model import Scope

if TYPE_CHECKING:
    from projops.engine import Engine
    from projops.orchestration.openlineage import Lineage
    from projops.reconcile.reconciliation import MapResult
    from projops.reconcile.report.writing import Written

NUMBER, REPAIRS = "reconciliation", "repairs"


def scope_of(context: Context) -> Scope:
    """Read from a run's form what is to be compared."""
    form = context["params"]
    since, until = (date.fromisoformat(form[day]) if form[day] else None for day in ("since", "until"))
    return Scope(
        maps=tuple(form["maps"]) if form["maps"] else None,
        companies=tuple(code.lower() for code in form["companies"]) if form["companies"] else None,
        since=since,
        until=until,
    )


class ReconciliationOperator(EngineOperator):
    """What the tasks after `begin` share: they work on the reconciliation that it has begun.

    Args:
        begin_task_id: The task that began it.
    """

    def __init__(self, *, begin_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.begin_task_id = begin_task_id

    def number(self, context: Context) -> int:
        """Give the number of the run's reconciliation.

        Raises:
            ConsequenceError: None was begun.
        """
        number: int | None = context["ti"].xcom_pull(task_ids=self.begin_task_id, key=NUMBER)
        if number is None:
            raise ConsequenceError(f"Nothing was begun: {self.begin_task_id} failed; its log says why.")
        return number


class BeginOperator(EngineOperator):
    """Begins a reconciliation, or takes it up again when it is rerun."""

    writes = ("reconciliation",)

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Note what was asked; return the maps to compare, a task each, broken ones among them.

        Raises:
            AirflowFailException: The form names maps, companies or days that cannot be.
        """
        from projops.reconcile.reconciliation import begin, maps_of

        run, scope = context["dag_run"], scope_of(context)
        with open_engine() as engine:
            number = begin(engine, run.dag_id, run.run_id, scope, context["params"]["threshold"])
            broken = () if scope.maps else (each.map for each in engine.loaded.broken)
            maps = [*maps_of(engine, scope), *broken]
        context["ti"].xcom_push(NUMBER, number)
        self.log.info("Reconciliation %d compares %d maps", number, len(maps))
        return [{"map_id": each} for each in maps]


class CompareOperator(ReconciliationOperator):
    """Reads one map on both sides, compares, judges and notes what differs.

    Args:
        map_id: The map.
    """

    template_fields: Sequence[str] = ("map_id",)
    _result: "MapResult | None" = None

    def __init__(self, *, map_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.map_id = map_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare; return the numbers of rows by what became of them."""
        from projops.reconcile.reconciliation import reconcile_map

        number = self.number(context)
        with open_engine() as engine:
            self._result = result = reconcile_map(engine, number, self.map_id, scope_of(context))
        for leg in result.legs:
            self.log.info(
                "%s %s: %d of %d rows are equal, drift %d",
                self.map_id,
                leg["leg"],
                leg["matched"],
                leg["expected_rows"],
                leg["drift"],
            )
        return result.as_json()

    def lineage(self, engine: "Engine") -> "Lineage":
        """Say what was compared, and whether it is in step."""
        from projops.orchestration.proof_lineage import compare_lineage

        return compare_lineage(engine, self.map_id, self._result)


class RepairOperator(ReconciliationOperator):
    """Sends the rows of drift through the ordinary stages again, if the form asks for it."""

    reads = ("difference",)

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Repair; return the maps to compare once more, so that the report tells of afterwards.

        Raises:
            AirflowSkipException: Nobody asked for a repair.
        """
        if not context["params"]["repair"]:
            raise AirflowSkipException("Nobody asked for a repair.")
        from projops.reconcile.repair.repairing import repair

        actor = context["dag_run"].triggering_user_name or "airflow"
        with open_engine() as engine:
            repaired = repair(engine, self.number(context), actor)
        for sentence in repaired.sentences:
            self.log.info("%s", sentence)
        context["ti"].xcom_push(REPAIRS, repaired.sentences)
        return [{"map_id": each} for each in repaired.maps]


class BooksOperator(ReconciliationOperator):
    """Checks what must hold of the books, where the whole of both systems is reconciled."""

    writes = ("invariant",)

    def execute(self, context: Context) -> dict[str, int]:
        """Check; return how many things hold, and how many do not.

        Raises:
            AirflowSkipException: Only some maps were asked for.
        """
        from projops.reconcile.accounting import check_books

        number, scope = self.number(context), scope_of(context)
        if scope.maps is not None:
            raise AirflowSkipException("Only some maps were asked for: the books take them all.")
        with open_engine() as engine:
            found = check_books(engine, number, scope)
        broken = [each for each in found if not each.holds]
        for each in broken:
            self.log.warning("%s %s %s: %s", each.name, each.company, each.subject, each.message)
        return {"hold": len(found) - len(broken), "broken": len(broken)}


class ReportOperator(ReconciliationOperator):
    """Writes the report, and tells its asset what the reconciliation came to.

    It succeeds whatever was found: Airflow passes on the event of a task that succeeded only.

    Args:
        repair_task_id: The task that repairs where that is asked for.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (ReportLink(),)
    reads = ("reconciliation", "difference", "invariant", "quality")
    page: str | None = None
    _written: "Written | None" = None

    def __init__(self, *, repair_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repair_task_id = repair_task_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Write page and Parquet; return the numbers."""
        from projops.reconcile.report.writing import write_report

        number = self.number(context)
        repairs = context["ti"].xcom_pull(task_ids=self.repair_task_id, key=REPAIRS)
        with open_engine() as engine:
            self._written = written = write_report(engine, number, tuple(repairs or ()))
        self.page = f"reports/{written.numbers.reconciliation}"
        self.log.info("Report: %s", written.uri)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = written.numbers.as_json()
        return written.numbers.as_json()

    def lineage(self, engine: "Engine") -> "Lineage | None":
        """Say what the report was made of, and where it is."""
        from projops.orchestration.proof_lineage import report_lineage

        if self._written is None:
            return super().lineage(engine)
        return report_lineage(engine, self.reads, self._written.uri, self._written.numbers.reconciliation)


class VerdictOperator(BaseOperator):
    """Fails the run where both sides are not proved to be equal.

    Args:
        numbers: Output of the report task.
    """

    template_fields: Sequence[str] = ("numbers",)
    operator_extra_links: Collection[BaseOperatorLink] = (ReportLink(),)
    page: str | None = None
    concludes = True

    def __init__(self, *, numbers: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbers = numbers

    def execute(self, context: Context) -> None:
        """Say what the reconciliation came to.

        Raises:
            ConsequenceError: Drift above the threshold, a broken invariant, or a map that could not be
                compared.
        """
        from projops.reconcile.report.verdict import Numbers, shortcomings, summary

        numbers = Numbers.from_json(self.numbers)
        self.page = f"reports/{numbers.reconciliation}"
        if bad := " ".join(shortcomings(numbers)):
            raise ConsequenceError(f"{bad} The report names each: see the link of this task.")
        self.log.info("%s", " ".join(summary(numbers)))
