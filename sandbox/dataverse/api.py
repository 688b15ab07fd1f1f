"""What every operation of the Web API works with."""

from dataclasses import dataclass

from sandbox.bell import Bell
from sandbox.data.environment import identity
from sandbox.dataverse.entities import Entities
from sandbox.dataverse.events.pipeline import Pipeline
from sandbox.dataverse.events.steps import StepRegistry
from sandbox.dataverse.writing import Writer
from sandbox.rules.hooks import read_rulebook
from sandbox.store import Store


@dataclass(frozen=True)
class Api:
    """The environment as the calling application user sees it.

    Attributes:
        store: The database.
        entities: All tables.
        writer: Writes rows as the user.
        organization_id: The environment's own id, stable for the life of the database.
        user_id: GUID of the application user.
        business_unit_id: GUID of its business unit.
        registry: Which steps are registered for writes.
        jobs: Where system jobs are queued.
    """

    store: Store
    entities: Entities
    writer: Writer
    organization_id: str
    user_id: str
    business_unit_id: str
    registry: StepRegistry
    jobs: Bell


def open_api(store: Store) -> Api:
    """Return the API over a store, as the environment's application user sees it."""
    who = identity(store.environment_id)
    rules = read_rulebook("sandbox.dataverse.rules")
    registry, jobs = StepRegistry(store), Bell()
    pipeline = Pipeline(rules.hooks, rules.jobs, registry=registry, queue=jobs)
    entities = Entities(store)
    writer = Writer(store, entities, who.user_id, who.business_unit_id, pipeline)
    return Api(
        store,
        entities,
        writer,
        who.organization_id,
        who.user_id,
        who.business_unit_id,
        registry,
        jobs,
    )
