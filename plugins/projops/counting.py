"""Counts as people read them in sentences."""


def rows(number: int) -> str:
    """Write a number of rows: "1 row", "1,234 rows"."""
    return f"{number:,} row" if number == 1 else f"{number:,} rows"
