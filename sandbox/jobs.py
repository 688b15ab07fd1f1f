"""Batch jobs and people's actions of both systems by name, each in one write transaction."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.dataverse.api import Api
from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.finance.books import Books
from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import FinanceError
from sandbox.rules.hooks import read_rulebook
from sandbox.rules.jobs import Job, JobRefusedError, Parameters
from sandbox.rules.rowset import MissingRowError
from sandbox.store import Store, WriteUnit


def open_jobs(api: Api, default_company: str | None = None) -> dict[str, Job]:
    """Return the jobs of both systems over Dataverse's store, by name."""
    store = api.store
    catalog = Catalog(store, store.finance, {}, default_company, read_rulebook("sandbox.finance.rules"))
    dataverse = {
        name: _job(store, lambda unit: Desk(unit, api.writer), act)
        for name, act in api.writer.rules.jobs.items()
    }
    finance = {
        name: _job(store, lambda unit: Books(unit, catalog), act) for name, act in catalog.rules.jobs.items()
    }
    return dataverse | finance


def _job(
    store: Store, open_desk: Callable[[WriteUnit], Any], act: Callable[[Any, Parameters], Mapping[str, Any]]
) -> Job:
    def run(parameters: Parameters) -> Mapping[str, Any]:
        try:
            with store.write() as unit:
                return act(open_desk(unit), parameters)
        except (ApiError, FinanceError) as refused:
            raise JobRefusedError(refused.message) from refused
        except MissingRowError as missing:
            raise JobRefusedError(str(missing)) from missing

    run.__doc__ = act.__doc__
    return run
