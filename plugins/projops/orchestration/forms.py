"""Fields that the trigger forms of several DAGs share."""

from collections.abc import Iterable

from airflow.sdk import Param


def maps_field(maps: Iterable[str], description: str) -> Param:
    """Give the field that names maps; empty for all.

    Args:
        maps: Ids to choose from.
        description: What they are for, in Markdown.
    """
    ids = sorted(maps)
    return Param(
        None,
        type=["null", "array"],
        items={"type": "string", "enum": ids},
        examples=ids,
        title="Maps",
        description_md=description,
    )


def companies_field(description: str) -> Param:
    """Give the field that names legal entities, one a line; empty for all.

    Args:
        description: What they are for, in Markdown.
    """
    return Param(
        None,
        type=["null", "array"],
        items={"type": "string"},
        title="Companies",
        description_md=description,
    )
