"""Which query options the Web API takes on lists, and which it refuses."""

from collections.abc import Mapping

from sandbox.dataverse.errors import bad_request

_OPTIONS = frozenset(
    {
        "$select",
        "$filter",
        "$orderby",
        "$top",
        "$expand",
        "$count",
        "$apply",
        "$format",
        "$skiptoken",
        "$deltatoken",
    }
)
_REFUSED = {
    "$skip": "Skip Clause is not supported in CRM.",
    "$search": "The query option '$search' is not supported.",
}


def refuse_options(options: Mapping[str, str]) -> None:
    """Refuse query options that the Web API does not take, and a $count that is neither yes nor no.

    Who misspells an option must not be answered as if he had not sent it; the sentence is the one of
    options that are taken elsewhere [L]. Options without a dollar sign are the client's own.

    Raises:
        ApiError: 400 for the first of them.
    """
    for name in options:
        if name.startswith("$") and name not in _OPTIONS:
            raise bad_request(_REFUSED.get(name, f"The query parameter {name} is not supported"))
    if options.get("$count", "true").lower() not in {"true", "false"}:
        raise bad_request(
            f"Invalid value '{options['$count']}' for $count query option found. "
            "Valid values are 'true' and 'false'."
        )
