"""Parameters of actions, of the type that they must have."""

from collections.abc import Mapping

from sandbox.finance.errors import FinanceError


def text(parameters: Mapping[str, object], name: str) -> str:
    """Return a text, "" where it is missing.

    Raises:
        FinanceError: It is no text.
    """
    value = parameters.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise FinanceError(400, f"The parameter '{name}' must be text.")
    return value.strip()


def flag(parameters: Mapping[str, object], name: str, *, default: bool) -> bool:
    """Return a truth value.

    Raises:
        FinanceError: It is none.
    """
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise FinanceError(400, f"The parameter '{name}' must be true or false.")
    return value
