"""A task on the engine: opened on Airflow's connections, errors in one sentence, lineage on request."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from projops.errors import MapPausedError, ProjOpsError, TryAgainError

if TYPE_CHECKING:
    from projops.engine import Engine
    from projops.orchestration.openlineage import Lineage


class ConsequenceError(AirflowFailException):
    """A task fails because of what others have told already, or the state tells: no alert of its own."""


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn the engine's errors into Airflow's, with the sentence and without the traceback below it.

    The engine's error stays behind Airflow's as its context: `failures` reads class and remedy from it.
    """
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


class EngineOperator(BaseOperator):
    """A task on the engine that OpenLineage's listener may ask, when it has ended, what it read and wrote.

    A subclass remembers what it did and says so in `lineage`, or names the tables of the state that it reads
    and writes. Nobody asks where no transport is configured.
    """

    reads: ClassVar[Sequence[str]] = ()
    writes: ClassVar[Sequence[str]] = ()

    def lineage(self, engine: "Engine") -> "Lineage | None":
        """Say what the task read and wrote; None where nobody knows."""
        from projops.orchestration.proof_lineage import state_lineage

        return state_lineage(engine, self.reads, self.writes)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> "Lineage | None":
        """Answer OpenLineage's listener after a success."""
        del task_instance
        with open_engine() as engine:
            return self.lineage(engine)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> "Lineage | None":
        """Answer it after a failure: what was to be read, and nothing written."""
        told = self.get_openlineage_facets_on_complete(task_instance)
        if told is not None:
            told.outputs = []
        return told
