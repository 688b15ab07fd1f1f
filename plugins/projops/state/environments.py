"""The state belongs to one pair of environments, and to no other."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from projops.errors import EnvironmentMismatchError
from projops.state.tables import environment


def bound_at(connection: Connection, system: str) -> datetime:
    """Give the moment, in UTC, at which the state was bound to the environment that it belongs to."""
    statement = select(environment.c.bound_at).where(environment.c.system == system)
    moment: datetime = connection.execute(statement).scalar_one()
    return moment


def bind_environment(connection: Connection, system: str, environment_id: str) -> None:
    """Bind the state to an environment at first sight; afterwards insist on it.

    Raises:
        EnvironmentMismatchError: The state belongs to another environment, as after copying
            production to test.
    """
    known = connection.execute(
        select(environment.c.environment_id).where(environment.c.system == system)
    ).scalar()
    if known is None:
        connection.execute(
            insert(environment).values(
                system=system, environment_id=environment_id, bound_at=datetime.now(UTC)
            )
        )
    elif known != environment_id:
        raise EnvironmentMismatchError(
            f"The state belongs to {system} environment {known}, the connection leads to {environment_id}.",
            remedy="Correct the connection, or use a state database of its own for this environment.",
            system=system,
        )
