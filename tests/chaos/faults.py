"""Random rules for the sandbox's board: every kind of fault that it knows."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rule = Mapping[str, Any]

_SYSTEMS = ("dataverse", "finance")
_WRITES = {
    "dataverse": ("UpsertMultiple", "CreateMultiple", "UpdateMultiple", "$batch"),
    "finance": ("$batch", "$batch", "ExportToPackage", "GetExportedPackageUrl"),
}


def random_faults(draw: random.Random) -> tuple[Rule, ...]:
    """Draw one to four rules; each meets some requests of one system, writes more often than reads."""
    return tuple(draw.choice(_FAULTS)(draw, draw.choice(_SYSTEMS)) for _ in range(draw.randint(1, 4)))


def held_back(draw: random.Random) -> Rule:
    """A rule under which one of the next bulks of writes to a system waits."""
    place: Rule = draw.choice(
        ({"system": "finance", "entity": "$batch"}, {"system": "dataverse", "verb": "UpsertMultiple"})
    )
    return {**place, "skip": draw.choice((0, 0, 1, 2)), "count": 1, "delay_seconds": 0.5}


def _some(draw: random.Random, system: str) -> dict[str, Any]:
    return {"system": system, "count": draw.randint(1, 4), "skip": draw.choice((0, 0, 0, 1, 2, 5))}


def _any(draw: random.Random, system: str) -> dict[str, Any]:
    """Meet any request, or writes."""
    if draw.random() < 0.4:
        return _some(draw, system)
    aim = draw.choice(_WRITES[system])
    return _some(draw, system) | ({"entity": aim} if aim == "$batch" else {"verb": aim})


def _status(draw: random.Random, system: str) -> Rule:
    status = draw.choice((429, 429, 500, 502, 503, 504))
    if status not in {429, 503}:
        return _any(draw, system) | {"status": status}
    date = draw.random() < 0.3
    return _any(draw, system) | {
        "status": status,
        "retry_after": draw.choice((0, 1)),
        "retry_after_date": date,
    }


def _status_in_batch(draw: random.Random, system: str) -> Rule:
    return _some(draw, system) | {"in_batch": True, "status": draw.choice((429, 500, 503))}


def _slow(draw: random.Random, system: str) -> Rule:
    return _any(draw, system) | {"delay_seconds": round(draw.uniform(0.05, 0.5), 3)}


def _cut(draw: random.Random, system: str) -> Rule:
    return _any(draw, system) | {"drop": draw.choice(("before", "during", "after"))}


def _truncated(draw: random.Random, system: str) -> Rule:
    return _any(draw, system) | {"truncate": round(draw.uniform(0.05, 0.95), 2)}


def _repeated(draw: random.Random, system: str) -> Rule:
    return _some(draw, system) | {"verb": "GET", "repeat_page": True}


def _stale(draw: random.Random, system: str) -> Rule:
    return _some(draw, system) | {"verb": "GET", "stale_seconds": round(draw.uniform(0.5, 5.0), 2)}


def _expired(draw: random.Random, system: str) -> Rule:
    return _any(draw, system) | {"expire": "token"}


def _expired_delta(draw: random.Random, _system: str) -> Rule:
    return {"system": "dataverse", "verb": "GET", "count": draw.randint(1, 3), "expire": "delta"}


def _partial(draw: random.Random, system: str) -> Rule:
    return _some(draw, system) | {"entity": "$batch", "partial": draw.randint(1, 3)}


def _skewed(draw: random.Random, system: str) -> Rule:
    skew = {"skew_seconds": float(draw.choice((-3600, -30, 30, 3600)))}
    return {"system": system, "probability": draw.choice((0.2, 1.0)), "seed": draw.getrandbits(16)} | skew


def _garbage(draw: random.Random, system: str) -> Rule:
    return _any(draw, system) | {"garbage": True}


_FAULTS: Sequence[Callable[[random.Random, str], Rule]] = (
    _status,
    _status,
    _status_in_batch,
    _slow,
    _cut,
    _cut,
    _truncated,
    _repeated,
    _stale,
    _expired,
    _expired_delta,
    _partial,
    _skewed,
    _garbage,
)
