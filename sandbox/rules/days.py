"""Days as the systems keep them: Finance as noon in UTC, Dataverse as a plain date or a time stamp."""

from datetime import date

NEVER = date(1900, 1, 1)


def noon(day: date) -> str:
    """Return a day as Finance keeps it: `2026-10-31T12:00:00Z`."""
    return f"{day.isoformat()}T12:00:00Z"


def day_of(text: str | None) -> date | None:
    """Return the day of a kept time stamp or date; None where Finance or Dataverse says none."""
    if not text:
        return None
    day = date.fromisoformat(text[:10])
    return None if day == NEVER else day
