"""The rules of the moment, and which of them a request meets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import Any

import msgspec

from sandbox.faults.rules import FaultRule
from sandbox.odata.errors import ODataError
from sandbox.odata.keys import split_path

_SERVICE = re.compile(r"^/(?:api/data/v[0-9.]+|data)/")


@dataclass(frozen=True, slots=True)
class Target:
    """A request, or an operation inside of a `$batch`, as rules look at it.

    Attributes:
        system: "dataverse" or "finance".
        entity: Entity set, or "$batch".
        verbs: HTTP method, then what stands below the entity: a bulk message, an action, a property.
        in_batch: Whether it is an operation inside of a `$batch`.
        delta: Whether it follows a delta link.
        repeated: Whether it fetches a page for the second time, as `repeat_page` has it.
    """

    system: str
    entity: str
    verbs: tuple[str, ...]
    in_batch: bool = False
    delta: bool = False
    repeated: bool = False


def resource_of(path: str) -> str | None:
    """Return what stands below the service root of either system in a URL's path, None elsewhere."""
    match = _SERVICE.match(path)
    return path[match.end() :] if match else None


def read_target(system: str, method: str, resource: str, *, in_batch: bool = False) -> Target | None:
    """Read which entity and verb a resource path (`accounts(id)`, below the service root) means.

    Returns:
        The target, None where the path names no entity.
    """
    try:
        segments = split_path(resource)
    except ODataError:
        return None
    if not segments:
        return None
    below = tuple(segment.name.rpartition(".")[2] for segment in segments[1:])
    return Target(system, segments[0].name, (method, *below), in_batch)


class _Entry:
    """A rule and what became of it so far."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self.left = rule.count
        self.passed = 0
        self.met = 0
        self._random = Random(rule.seed)

    def meets(self, target: Target) -> bool:
        """Say whether the rule acts on a target, and take note of it."""
        if self.left == 0 or not matches(self.rule, target):
            return False
        if self.passed < self.rule.skip:
            self.passed += 1
            return False
        if self._random.random() >= self.rule.probability:
            return False
        self.met += 1
        self.left = None if self.left is None else self.left - 1
        return True

    def listing(self) -> dict[str, Any]:
        shown: dict[str, Any] = msgspec.to_builtins(self.rule)
        return shown | {"count": self.left, "skip": self.rule.skip - self.passed, "met": self.met}


class FaultBoard:
    """The rules of the moment and what is left of each of them."""

    def __init__(self, on_change: Callable[[tuple[FaultRule, ...]], None] = lambda _rules: None) -> None:
        """Start without rules; `on_change` is told whenever others take their place."""
        self._lock = Lock()
        self._entries: tuple[_Entry, ...] = ()
        self._on_change = on_change

    def replace(self, rules: tuple[FaultRule, ...]) -> None:
        """Make `rules` the only ones."""
        self._on_change(rules)
        with self._lock:
            self._entries = tuple(_Entry(rule) for rule in rules)

    def listing(self) -> list[dict[str, Any]]:
        """Return the rules as `GET /sandbox/faults` shows them.

        Returns:
            The parts that were given, with what is left of `count` (None: no end) and of `skip`, and
            how many requests the rule has `met`.
        """
        with self._lock:
            return [entry.listing() for entry in self._entries]

    def take(self, target: Target) -> FaultRule | None:
        """Return the first rule that meets a target, one use of it spent."""
        with self._lock:
            return next((entry.rule for entry in self._entries if entry.meets(target)), None)


def matches(rule: FaultRule, target: Target) -> bool:
    """Say whether a rule means a target."""
    named = (
        rule.system in {None, target.system}
        and rule.entity in {None, target.entity}
        and (rule.verb is None or rule.verb in target.verbs)
        and rule.in_batch == target.in_batch
    )
    return named and _applies(rule, target)


def _applies(rule: FaultRule, target: Target) -> bool:
    """Say whether what a rule does can be done to a target at all."""
    match rule.outcome:
        case "partial":
            return target.entity == "$batch"
        case "repeat_page":
            return target.verbs[0] == "GET" and not target.repeated
        case "expire":
            return rule.expire == "token" or target.delta
        case _:
            return True
