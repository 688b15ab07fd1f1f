"""Random rules for the sandbox's board: every kind of fault that it knows, each with a count."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rule = Mapping[str, Any]

_SYSTEMS = ("dataverse", "finance")
_WRITES = {
    "dataverse": ("UpsertMultiple", "CreateMultiple", "UpdateMultiple"),
    "finance": ("POST", "PATCH", "DELETE"),
}


def _refusal(draw: random.Random) -> Rule:
    status = draw.choice((429, 429, 500, 502, 503, 504))
    return {"status": status} | ({"retry_after": draw.choice((0, 1))} if status in {429, 503} else {})


def _slow(draw: random.Random) -> Rule:
    return {"delay_seconds": round(draw.uniform(0.05, 0.5), 3)}


def _cut(draw: random.Random) -> Rule:
    return {"drop": draw.choice(("before", "after"))}


EFFECTS: Sequence[Callable[[random.Random], Rule]] = (_refusal, _slow, _cut)


def random_faults(draw: random.Random) -> tuple[Rule, ...]:
    """Draw one to three rules; each meets some requests of one system, writes more often than reads."""
    return tuple(_rule(draw) for _ in range(draw.randint(1, 3)))


def held_back(draw: random.Random) -> Rule:
    """A rule under which the next bulk of writes to one of the systems waits."""
    place = draw.choice(
        ({"system": "finance", "entity": "$batch"}, {"system": "dataverse", "verb": "UpsertMultiple"})
    )
    return {**place, "count": 1, "delay_seconds": 0.5}


def _rule(draw: random.Random) -> Rule:
    system = draw.choice(_SYSTEMS)
    place: dict[str, Any] = {"system": system, "count": draw.randint(1, 4)}
    aim = draw.random()
    if aim < 0.4:
        place["entity"] = "$batch"
    elif aim < 0.7:
        place["verb"] = draw.choice(_WRITES[system])
    return {**place, **draw.choice(EFFECTS)(draw)}
