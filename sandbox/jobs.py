"""Batch jobs and people's actions of both systems by name, each in one write transaction."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.dataverse.api import Api
from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.finance.books import Books
from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import FinanceError
from sandbox.rules.hooks import Rulebook
from sandbox.rules.jobs import Job, JobRefusedError, Parameters
from sandbox.rules.rowset import MissingRowError
from sandbox.store import Store, WriteUnit


def open_jobs(api: Api, finance: Rulebook[Any], default_company: str | None = None) -> dict[str, Job]:
    """Return the jobs of both systems over Dataverse's store, by name.

    Args:
        api: Dataverse.
        finance: The rules of Finance.
        default_company: Finance's company for jobs that name none, None for the first legal entity.
    """
    store = api.store
    catalog = Catalog(store, store.finance, {}, default_company, finance)
    dataverse = {
        name: _job(store, lambda unit: Desk(unit, api.writer), act)
        for name, act in api.writer.rules.jobs.items()
    }
    books = {
        name: _job(store, lambda unit: Books(unit, catalog), act) for name, act in catalog.rules.jobs.items()
    }
    return dataverse | books


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
