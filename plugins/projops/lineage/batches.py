"""What lineage tells of a batch besides its columns: numbers, versions, watermarks; no value of a row."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from projops.run import LegOutcome
from projops.state.batches import Batch
from projops.state.quality import Found

_COUNTS = ("read", "unchanged", "loaded", "parked", "rejected", "failed")


def watermark_digest(watermark: str | None) -> str | None:
    """Name a watermark without showing it: a delta link may let its reader in."""
    return sha256(watermark.encode()).hexdigest()[:12] if watermark else None


def batch_tags(batch: Batch, outcome: LegOutcome | None) -> dict[str, object]:
    """Describe a batch by the tags of a run.

    Args:
        batch: The batch.
        outcome: What became of its rows, once they are loaded.

    Returns:
        `batch`, `mapping_version`, `mode`, `watermark_from`, `watermark_to` (digests), and `rows_<count>`.
    """
    tags: dict[str, object] = {
        "batch": batch.id,
        "mapping_version": batch.mapping_version,
        "mode": batch.mode,
        "watermark_from": watermark_digest(batch.watermark_from),
        "watermark_to": watermark_digest(batch.watermark_to),
    }
    return tags if outcome is None else tags | {f"rows_{name}": getattr(outcome, name) for name in _COUNTS}


def event_numbers(batch: Batch, outcome: LegOutcome, found: Iterable[Found]) -> dict[str, Any]:
    """Describe what a load has written, for the event of its target's asset.

    Args:
        batch: The batch.
        outcome: What became of its rows.
        found: What its stages found.

    Returns:
        `map`, `leg`, `batch`, `rows` (written), the other counts of the outcome, `mapping_version`,
        `watermark` (a digest), and `quality`: by stage, the rows that broke each rule.
    """
    broken: dict[str, dict[str, int]] = {}
    for each in found:
        rules = broken.setdefault(each.stage, {})
        rules[each.breach.rule] = rules.get(each.breach.rule, 0) + each.breach.rows
    return {
        "map": outcome.map,
        "leg": outcome.leg,
        "batch": outcome.batch,
        "rows": outcome.loaded,
        **{name: getattr(outcome, name) for name in _COUNTS if name != "loaded"},
        "mapping_version": batch.mapping_version,
        "watermark": watermark_digest(batch.watermark_to),
        "quality": broken,
    }
