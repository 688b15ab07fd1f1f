"""Guards, completions and effects: which run when, and for whom."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.rules.hooks import Caller, Change, Rulebook, Stage, Verb, complete, effect, guard


def change(caller: Caller = Caller.USER, verb: Verb = Verb.UPDATE, **values: Any) -> Change:
    return Change("project", verb, {"state": "open", "name": "old"}, values, caller)


def refuse(_desk: list[str], _change: Change) -> None:
    raise PermissionError("no")


def stamp(_desk: list[str], asked: Change) -> Mapping[str, Any]:
    return {"name": f"{asked.after['name']}!"}


def note(desk: list[str], done: Change) -> None:
    desk.append(done.after["name"])


def rulebook(*hooks: Any) -> Rulebook[list[str]]:
    by_place: dict[tuple[str, Verb], Any] = {}
    for hook in hooks:
        for verb in hook.verbs:
            by_place[hook.table, verb] = (*by_place.get((hook.table, verb), ()), hook)
    return Rulebook(by_place)


def test_a_guard_refuses_users_and_integrations_but_not_the_system() -> None:
    rules = rulebook(guard("project", [Verb.UPDATE], refuse))
    for caller in (Caller.USER, Caller.IMPORT):
        with pytest.raises(PermissionError):
            rules.prepare([], change(caller, state="closed"))
    assert rules.prepare([], change(Caller.SYSTEM, state="closed")).values == {"state": "closed"}


def test_completions_build_on_each_other_and_effects_see_their_result() -> None:
    rules = rulebook(
        complete("project", [Verb.UPDATE], stamp),
        complete("project", [Verb.UPDATE], stamp),
        effect("project", [Verb.UPDATE], note),
    )
    desk: list[str] = []
    prepared = rules.prepare(desk, change(state="closed"))
    rules.follow(desk, prepared)
    assert prepared.values == {"state": "closed", "name": "old!!"}
    assert desk == ["old!!"]


def test_a_hook_of_columns_runs_only_with_updates_that_name_one() -> None:
    rules = rulebook(effect("project", [Verb.CREATE, Verb.UPDATE], note, ["state"]))
    desk: list[str] = []
    rules.follow(desk, change(name="new"))
    assert desk == []
    rules.follow(desk, change(state="closed"))
    rules.follow(desk, change(verb=Verb.CREATE, name="born"))
    assert desk == ["old", "born"]
    assert all(hook.stage is Stage.EFFECT for hooks in rules.hooks.values() for hook in hooks)


def test_a_value_turns_only_when_it_was_another_before() -> None:
    assert change(state="closed").turned("state", "closed")
    assert not change(state="open").turned("state", "open")
    assert not change(name="x").turned("state", "open")


def test_the_system_is_not_concerned_by_guards_nor_by_rules_of_other_columns() -> None:
    rules = rulebook(
        guard("project", [Verb.UPDATE], refuse), effect("project", [Verb.UPDATE], note, ["state"])
    )
    assert rules.concerns("project", Verb.UPDATE, Caller.USER, ["name"])
    assert rules.concerns("project", Verb.UPDATE, Caller.SYSTEM, ["name", "state"])
    assert not rules.concerns("project", Verb.UPDATE, Caller.SYSTEM, ["name"])
    assert not rules.concerns("project", Verb.CREATE, Caller.USER)
