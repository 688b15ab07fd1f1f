"""Jobs of both systems as the control plane runs them: each in one write transaction."""

from collections.abc import Callable, Mapping
from typing import Any

Parameters = Mapping[str, Any]


class JobRefusedError(ValueError):
    """A job that cannot run as it was asked for; the sentence says why and what to do."""


Job = Callable[[Parameters], Mapping[str, Any]]


def required(parameters: Parameters, name: str) -> Any:
    """Return a parameter of a job.

    Raises:
        JobRefusedError: When it is missing.
    """
    if name not in parameters:
        raise JobRefusedError(f"The job needs the parameter '{name}'.")
    return parameters[name]
