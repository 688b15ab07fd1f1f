"""What is kept no longer than its period: rows of the state, staged files, evidence, reports.

Staged files hold whole rows, and closed dead letters hold the payload of theirs: neither may stay for
ever. Nothing that is live goes: a dead letter is counted from its closing, staged files from the last
one that their batch wrote, so that a batch which failed can be rerun within the period.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from projops.engine import Engine
from projops.settings import Settings
from projops.staging.folder import EVIDENCE, RECONCILIATIONS
from projops.state.audit import record_action
from projops.state.retention import CLEANING, Limits, evidence_needed, expired, forget, last_cleaned

STAGED = "staged batches"
REPORTS = "reconciliation folders"
ENGINE = "projops"


def clean_daily(engine: Engine, now: datetime | None = None) -> None:
    """Clean once a day (UTC); on any later call of that day this is one short query.

    Args:
        engine: Open engine.
        now: The present; UTC now by default.
    """
    present = now or datetime.now(UTC)
    with engine.state.begin() as connection:
        last = last_cleaned(connection)
    if last is None or last.date() < present.date():
        clean(engine, present, ENGINE)


def clean(engine: Engine, now: datetime, actor: str) -> Mapping[str, int]:
    """Remove what is older than its period, and note in the audit trail how much that was.

    Args:
        engine: Open engine.
        now: The present, aware.
        actor: Who cleans.

    Returns:
        How many of each went, by name.
    """
    limits = limits_of(engine.settings, now)
    with engine.state.begin() as connection:
        gone = forget(connection, limits)
    gone[EVIDENCE] = sum(_remove(engine, uri) for uri in _old_evidence(engine, limits))
    gone[STAGED] = sum(_remove(engine, folder) for folder in _old_folders(engine, limits.staging))
    gone[REPORTS] = sum(_remove(engine, uri) for uri in _old_reports(engine, limits.reports))
    told = (
        ", ".join(f"{number} {name}" for name, number in gone.items() if number) or "nothing was old enough"
    )
    with engine.state.begin() as connection:
        record_action(connection, actor, CLEANING, "retention", told)
    return gone


def preview(engine: Engine, now: datetime) -> Mapping[str, int]:
    """Say how many of each `clean` would remove, and remove nothing."""
    limits = limits_of(engine.settings, now)
    with engine.state.begin() as connection:
        numbers = expired(connection, limits)
    numbers[EVIDENCE] = sum(1 for _ in _old_evidence(engine, limits))
    numbers[STAGED] = sum(1 for _ in _old_folders(engine, limits.staging))
    return {**numbers, REPORTS: sum(1 for _ in _old_reports(engine, limits.reports))}


def limits_of(settings: Settings, now: datetime) -> Limits:
    """Give since when things are kept; a period of 0 days keeps them for ever."""

    def before(days: int) -> datetime | None:
        return now - timedelta(days=days) if days > 0 else None

    return Limits(
        letters=before(settings.keep_letters_days),
        audit=before(settings.keep_audit_days),
        staging=before(settings.keep_staging_days),
        reports=before(settings.keep_reports_days),
    )


def _old_folders(engine: Engine, limit: datetime | None) -> Iterator[str]:
    """Give the folders of batches that have written nothing since the limit."""
    if limit is not None:
        written = engine.staging.last_written()
        yield from (folder for folder, latest in sorted(written.items()) if latest < limit)


def _old_evidence(engine: Engine, limits: Limits) -> Iterator[str]:
    """Give evidence that no dead letter names any longer, and that is older than letters are kept."""
    if limits.letters is not None:
        kept = engine.staging.kept()
        with engine.state.begin() as connection:
            needed = evidence_needed(connection, limits)
        yield from (uri for uri, at in sorted(kept.items()) if at < limits.letters and uri not in needed)


def _old_reports(engine: Engine, limit: datetime | None) -> Iterator[str]:
    """Give the folders of reconciliations to which nothing was added since the limit."""
    if limit is not None:
        latest: dict[str, datetime] = {}
        for uri, at in engine.staging.kept(RECONCILIATIONS).items():
            folder = uri.rpartition("/")[0]
            latest[folder] = max(at, latest.get(folder, at))
        yield from (folder for folder, at in sorted(latest.items()) if at < limit)


def _remove(engine: Engine, path: str) -> bool:
    """Remove staged files; what cannot be removed today (a share that is away) is tried again tomorrow.

    What does not stand in the staging area is not touched.
    """
    with suppress(OSError, ValueError):
        engine.staging.remove(path)
        return True
    return False
