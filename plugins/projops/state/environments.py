"""The state belongs to one pair of environments, and to no other."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from projops.errors import EnvironmentMismatchError
from projops.state.tables import environment
from projops.state.upserts import insert_into


def bound_at(connection: Connection, system: str) -> datetime:
    """Give the moment, in UTC, at which the state was bound to the environment that it belongs to."""
    statement = select(environment.c.bound_at).where(environment.c.system == system)
    moment: datetime = connection.execute(statement).scalar_one()
    return moment


def mark_of(moment: datetime) -> str:
    """Tell a state by the moment at which it was bound, to the microsecond: two may begin in one second."""
    return f"{moment:%y%m%d%H%M%S%f}"


def bound_to(connection: Connection, system: str) -> str | None:
    """Give the environment that the state belongs to; None before the first run."""
    return connection.execute(
        select(environment.c.environment_id).where(environment.c.system == system)
    ).scalar()


def bind_environment(connection: Connection, system: str, environment_id: str) -> None:
    """Bind the state to an environment at first sight; afterwards insist on it.

    Raises:
        EnvironmentMismatchError: The state belongs to another environment, as after copying
            production to test.
    """
    known = bound_to(connection, system)
    if known is None:
        # Another process may be as early; the first one decides.
        values = {"system": system, "environment_id": environment_id, "bound_at": datetime.now(UTC)}
        connection.execute(insert_into(connection, environment).values(values).on_conflict_do_nothing())
        known = bound_to(connection, system)
    if known != environment_id:
        raise EnvironmentMismatchError(
            f"The state belongs to {system} environment {known}, the connection leads to {environment_id}.",
            remedy="Correct the connection, or use a state database of its own for this environment.",
            system=system,
        )
