"""Rules that run with a write, and jobs that run on demand.

A module of a system's `rules` folder is in force by being there: it declares `HOOKS`, a tuple of
hooks, and `JOBS`, a mapping of handlers by job name; either may be missing.
"""

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any, Generic, TypeVar

Row = Mapping[str, Any]
Desk = TypeVar("Desk")


class Caller(StrEnum):
    """Who writes: guards ask it, since a system may do what its users may not."""

    USER = "user"
    IMPORT = "import"  # data import and integrations, by bulk messages
    SYSTEM = "system"  # the system's own rules


class Stage(StrEnum):
    """When a hook runs."""

    GUARD = "guard"  # refuses by raising; not asked where the system itself writes
    COMPLETE = "complete"  # returns further values for the row, before it is written
    EFFECT = "effect"  # does what follows from the row, after it is written, in the same transaction


class Verb(StrEnum):
    """What happens to a row."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is being written.

    Attributes:
        table: Logical name (Dataverse) or set name (Finance).
        verb: Create, update or delete.
        before: The stored row; empty for a create.
        values: What is being set: of a create everything, of a delete nothing.
        caller: Who writes.
    """

    table: str
    verb: Verb
    before: Row
    values: Row
    caller: Caller

    @property
    def after(self) -> dict[str, Any]:
        """The row as it is after the write."""
        return {**self.before, **self.values}

    def turned(self, column: str, value: object) -> bool:
        """Whether the write gives a column this value, and it had another one before."""
        return self.values.get(column) == value and self.before.get(column) != value


@dataclass(frozen=True, slots=True)
class Hook(Generic[Desk]):
    """A rule that runs with writes of one table.

    Attributes:
        stage: When.
        table: Of which table.
        verbs: With which writes.
        act: The rule; a COMPLETE hook returns values, the others nothing.
        columns: An update runs it only if it names one of these; empty for any column.
    """

    stage: Stage
    table: str
    verbs: frozenset[Verb]
    act: Callable[[Desk, Change], Row | None]
    columns: frozenset[str] = frozenset()


def guard(
    table: str, verbs: Iterable[Verb], act: Callable[[Desk, Change], None], columns: Iterable[str] = ()
) -> Hook[Desk]:
    """Declare a rule that refuses a write by raising the system's error."""
    return Hook(Stage.GUARD, table, frozenset(verbs), act, frozenset(columns))


def complete(
    table: str, verbs: Iterable[Verb], act: Callable[[Desk, Change], Row], columns: Iterable[str] = ()
) -> Hook[Desk]:
    """Declare a rule that fills in values before a row is written."""
    return Hook(Stage.COMPLETE, table, frozenset(verbs), act, frozenset(columns))


def effect(
    table: str, verbs: Iterable[Verb], act: Callable[[Desk, Change], None], columns: Iterable[str] = ()
) -> Hook[Desk]:
    """Declare what follows from a row that was written, in the same transaction."""
    return Hook(Stage.EFFECT, table, frozenset(verbs), act, frozenset(columns))


@dataclass(frozen=True)
class Rulebook(Generic[Desk]):
    """All rules of one system.

    Attributes:
        hooks: By table and verb, in the order of modules and of their declaration.
        jobs: Batch jobs and people's actions by name.
    """

    hooks: Mapping[tuple[str, Verb], tuple[Hook[Desk], ...]] = field(default_factory=dict)
    jobs: Mapping[str, Callable[[Desk, Row], Row]] = field(default_factory=dict)

    def concerns(self, table: str, verb: Verb, caller: Caller, columns: Iterable[str] = ()) -> bool:
        """Whether any rule may run with such writes: rows that no rule concerns are written in bulk.

        Args:
            table: Which table.
            verb: What happens to its rows.
            caller: Who writes; guards are not asked where the system itself does.
            columns: Of an update: what any of the rows sets.
        """
        named = frozenset(columns)
        return any(
            (caller is not Caller.SYSTEM or hook.stage is not Stage.GUARD)
            and (verb is not Verb.UPDATE or not hook.columns or not hook.columns.isdisjoint(named))
            for hook in self.hooks.get((table, verb), ())
        )

    def prepare(self, desk: Desk, change: Change) -> Change:
        """Ask the guards, let rules fill in values; return the change with them.

        Raises:
            Exception: The system's own error, when a guard refuses.
        """
        for hook in self._due(Stage.GUARD, change):
            hook.act(desk, change)
        for hook in self._due(Stage.COMPLETE, change):
            values = {**change.values, **(hook.act(desk, change) or {})}
            change = Change(change.table, change.verb, change.before, values, change.caller)
        return change

    def follow(self, desk: Desk, change: Change) -> None:
        """Do what follows from a row that was written."""
        for hook in self._due(Stage.EFFECT, change):
            hook.act(desk, change)

    def _due(self, stage: Stage, change: Change) -> list[Hook[Desk]]:
        if stage is Stage.GUARD and change.caller is Caller.SYSTEM:
            return []
        hooks = self.hooks.get((change.table, change.verb), ())
        return [hook for hook in hooks if hook.stage is stage and _named(hook, change)]


def read_rulebook(package: str) -> Rulebook[Any]:
    """Return the rules of every module of a package."""
    hooks: dict[tuple[str, Verb], tuple[Hook[Any], ...]] = {}
    jobs: dict[str, Callable[[Any, Row], Row]] = {}
    for found in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        module = import_module(found.name)
        for hook in getattr(module, "HOOKS", ()):
            for verb in hook.verbs:
                hooks[hook.table, verb] = (*hooks.get((hook.table, verb), ()), hook)
        jobs |= getattr(module, "JOBS", {})
    return Rulebook(hooks, jobs)


def _named(hook: Hook[Any], change: Change) -> bool:
    return change.verb is not Verb.UPDATE or not hook.columns or not hook.columns.isdisjoint(change.values)
