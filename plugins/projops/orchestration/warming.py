"""What a process does once before it forks, and each task or parse of a DAG file would do for itself.

Imported modules, parsed maps and Great Expectations' own registries pass on to a forked task; connections,
threads and locks do not, so none is opened or held here. `config/airflow_local_settings.py` calls it.
"""

import logging
from collections.abc import Sequence
from importlib import import_module

from projops.errors import ProjOpsError

_log = logging.getLogger(__name__)

DAG_MODULES: Sequence[str] = (
    "projops.mapping.lint",
    "projops.orchestration.alerts_dag",
    "projops.orchestration.area_dag",
    "projops.orchestration.digest_dag",
    "projops.orchestration.reconciliation_dag",
    "projops.orchestration.replay_dag",
)
MODULES: Sequence[str] = (
    *DAG_MODULES,
    # Airflow's own, which its task runner imports when a task is there already.
    "airflow.api_fastapi.auth.managers.models.resource_details",
    "airflow.dag_processing.bundles.local",
    "airflow.providers.common.io.assets.file",
    "airflow.providers.postgres.assets.postgres",
    "airflow.sdk.definitions.asset.metadata",
    "airflow.sdk.execution_time.cache",
    "airflow.sdk.execution_time.timeout",
    "airflow.sdk.observability.stats",
    # What tasks do when they run and when they have ended.
    "projops.orchestration.alert_sending",
    "projops.orchestration.connections",
    "projops.alerts.failing",
    "projops.fates",
    "projops.lineage.batches",
    "projops.metrics.measures",
    "projops.pipeline",
    "projops.reconcile.accounting",
    "projops.reconcile.repair.repairing",
    "projops.reconcile.report.writing",
    "projops.replay",
    "projops.state.task_failures",
    "projops.state.upgrade",
    "projops.validate.docs.site",
    "projops.validate.suites",
    # What libraries import when they are first used.
    "fsspec.implementations.local",
    "odata_query.grammar",
    "psycopg",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
LINEAGE_MODULES: Sequence[str] = ("projops.orchestration.leg_lineage", "projops.orchestration.proof_lineage")


def warm() -> None:
    """Import and prepare what tasks need. What is wrong with the maps, each task says for itself."""
    for name in MODULES:
        import_module(name)
    _warm_lineage()
    _warm_maps()
    _warm_expectations()


def warm_parsing() -> None:
    """Import and prepare what DAG files need, in the DAG processor: nothing that is heavy."""
    for name in DAG_MODULES:
        import_module(name)
    _warm_maps()


def _warm_lineage() -> None:
    """Import the lineage too where somebody listens: nobody else asks for it."""
    from airflow.providers.openlineage.conf import is_disabled

    for name in () if is_disabled() else LINEAGE_MODULES:
        import_module(name)


def _warm_maps() -> None:
    """Read the maps: whoever needs them reads them again if they have changed since."""
    from projops.mapping.reader import load_maps
    from projops.settings import Settings

    try:
        load_maps(Settings.from_environment().mappings)
    except (ProjOpsError, OSError) as error:
        _log.warning("The maps could not be read beforehand: %s", error)


def _warm_expectations() -> None:
    """Judge two rows, one of them bad: Great Expectations builds what it needs at its first call."""
    import pandas as pd  # type: ignore[import-untyped]

    from projops.validate.expectations import RowExpectation
    from projops.validate.suites import judge

    column = {"column": "text"}
    there = RowExpectation("there", "text", "Nothing.", "expect_column_values_to_not_be_null", column)
    judge(pd.DataFrame({"text": ["some", None]}), [there], "")
