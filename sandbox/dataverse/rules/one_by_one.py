"""What jobs do with many rows: each in its own part of the transaction, so that one leaves the others."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import Row
from sandbox.rules.jobs import JobRefusedError, required
from sandbox.rules.rowset import MissingRowError


def one_by_one(
    desk: Desk, rows: Iterable[Row], act: Callable[[Desk, Row], object], name: Callable[[Row], str]
) -> tuple[int, list[str]]:
    """Act on rows, each on its own; what a row that fails has written is undone.

    Args:
        desk: Dataverse.
        rows: Stored rows.
        act: What is done with a row.
        name: What people call a row, for an error that does not.

    Returns:
        How many rows went, and a sentence for each that did not.
    """
    done, errors = 0, []
    for row in rows:
        try:
            with desk.savepoint():
                act(desk, row)
        except (ApiError, MissingRowError) as error:
            known, message = name(row), str(error)
            errors.append(message if known.lower() in message.lower() else f"{known}: {message}")
        else:
            done += 1
    return done, errors


def ids_named(parameters: Mapping[str, Any], name: str) -> list[str]:
    """Return the GUIDs that a job's parameter names, each once.

    Raises:
        JobRefusedError: When the parameter is missing or is no list of texts.
    """
    named = required(parameters, name)
    if not isinstance(named, list) or not all(isinstance(row_id, str) for row_id in named):
        raise JobRefusedError(f"The parameter '{name}' must be a list of ids.")
    return list(dict.fromkeys(row_id.lower() for row_id in named))
