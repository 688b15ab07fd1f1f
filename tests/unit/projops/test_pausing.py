"""Pausing and resuming maps, without either system."""

from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from projops import pausing, pipeline
from projops.due import Why, _Standing, _time_to_look, due_legs
from projops.engine import Engine
from projops.errors import ConfigurationError, MapPausedError
from projops.run import LegRef, RunRequest, Staged
from projops.state import audit, leases, pauses
from projops.state.batches import LegState

ROLES = LegRef("resource_roles", "dataverse_to_finance")


def request(*maps: str) -> RunRequest:
    return RunRequest("cli", "run-1", maps or None, manual=bool(maps))


def test_a_pause_says_who_and_why_and_leaves_an_audit_line(engine: Engine) -> None:
    done = pausing.pause(engine, ["customers"], None, "anna", " Cleaning up ")
    assert done.maps == ("customers",)
    again = pausing.pause(engine, ["customers", "vendors"], None, "bo", "Me too")
    assert again.maps == ("vendors",)
    assert again.left["customers"].startswith("It is paused by anna since 2")
    held = pausing.paused_maps(engine, ["customers", "units"])
    assert {name: (each.by, each.reason) for name, each in held.items()} == {
        "customers": ("anna", "Cleaning up")
    }
    with engine.state.begin() as connection:
        lines = [(each["actor"], each["action"], each["subject"]) for each in audit.actions(connection)]
    assert lines == [("bo", "pause", "vendors"), ("anna", "pause", "customers")]


def test_a_whole_area_is_paused_and_resumed_one_map_at_a_time(engine: Engine) -> None:
    pausing.pause(engine, [], "expense_management", "anna", "Month end")
    assert set(pausing.paused_in(engine, "expense_management")) == {"expense_categories", "expenses"}
    done = pausing.resume(engine, ["expenses", "customers"], None, "anna")
    assert (done.maps, done.left) == (("expenses",), {"customers": "It is not paused."})
    assert set(pausing.paused_in(engine, "expense_management")) == {"expense_categories"}


def test_a_map_can_be_paused_again_and_then_tells_of_the_new_pause(engine: Engine) -> None:
    for who in ("anna", "bo"):
        pausing.pause(engine, ["customers"], None, who, "Why not")
        assert pausing.paused_maps(engine, ["customers"])["customers"].by == who
        pausing.resume(engine, ["customers"], None, who)
    with engine.state.begin() as connection:
        assert set(pauses.resumed(connection)) == {"customers"}


def test_who_writes_at_the_moment_of_the_pause_is_named(engine: Engine) -> None:
    leases.acquire(engine.state, "customers", "batch 12 load", 120)
    assert pausing.pause(engine, ["customers"], None, "anna", "x").writers == {"customers": "batch 12 load"}


@pytest.mark.parametrize(
    ("maps", "area", "reason", "sentence"),
    [
        (["customers"], None, "  ", "A pause needs a reason"),
        (["nowhere"], None, "x", "There is no map nowhere."),
        ([], "nowhere", "x", "There is no area nowhere. There are: estimates_and_actuals"),
        ([], None, "x", "No map is named."),
    ],
)
def test_a_pause_that_makes_no_sense_is_one_sentence(
    engine: Engine, maps: list[str], area: str | None, reason: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        pausing.pause(engine, maps, area, "anna", reason)
    assert pausing.paused_maps(engine, engine.maps) == {}


def test_no_stage_of_a_paused_map_begins_and_neither_system_is_asked(engine: Engine) -> None:
    pausing.pause(engine, ["resource_roles"], None, "anna", "Cleaning up")
    with pytest.raises(MapPausedError, match=r"Map resource_roles is paused by anna .*projops resume"):
        pipeline.extract(engine, ROLES, request())
    with engine.state.begin() as connection:
        assert connection.exec_driver_sql("select * from batch").all() == []


def test_a_load_that_has_not_begun_when_its_map_is_paused_does_not_begin(engine: Engine) -> None:
    batch = pipeline.begin_batch(engine, ROLES, request(), advances=True)
    with engine.staging.writer(ROLES.map, ROLES.leg, batch.id, "transform") as writer:
        writer.facts["fingerprint"] = batch.fingerprint
        uri = engine.staging.uri_of(writer)
    pausing.pause(engine, ["resource_roles"], None, "anna", "Cleaning up")
    with pytest.raises(MapPausedError):
        pipeline.load(engine, Staged(batch.id, ROLES.map, ROLES.leg, "transform", uri, 1))
    with engine.state.begin() as connection:
        assert connection.exec_driver_sql("select * from lease").all() == []


class NoSystems:
    """A run that asks either system for anything fails."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was asked for")


async def test_a_run_that_names_a_paused_map_is_refused_before_it_asks_anything(engine: Engine) -> None:
    pausing.pause(engine, ["customers"], None, "anna", "Cleaning up")
    with pytest.raises(MapPausedError, match="Map customers is paused by anna"):
        await due_legs(engine, NoSystems(), "reference_data", request("units", "customers"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("committed", "resumed", "why"),
    [
        (timedelta(minutes=1), None, None),
        (timedelta(minutes=1), timedelta(seconds=30), Why.RESUMED),
        (timedelta(minutes=1), timedelta(minutes=2), None),  # it has run since
        (timedelta(days=30), timedelta(days=31), Why.RESTED),
    ],
)
def test_a_leg_is_read_at_once_after_its_map_was_resumed(
    committed: timedelta, resumed: timedelta | None, why: Why | None
) -> None:
    now = datetime.now(UTC)
    leg = LegState("{}", "f", 1, now - committed)
    resumed_at = None if resumed is None else now - resumed
    standing = _Standing(leg, waiting=False, in_doubt=False, fetched=False, resumed_at=resumed_at)
    assert _time_to_look(standing, request(), timedelta(minutes=20)) is why


def test_a_stop_ends_what_is_under_way_and_a_pause_does_not(engine: Engine) -> None:
    pausing.pause(engine, ["customers"], None, "anna", "Month end")
    pausing.refuse_stopped(engine.state, "customers")
    done = pausing.pause(engine, ["customers", "vendors"], None, "bo", "Nonsense", at_once=True)
    assert (done.maps, done.left) == (("customers", "vendors"), {})
    with pytest.raises(MapPausedError, match=r"Map customers is stopped by anna .*\(Month end\)"):
        pausing.refuse_stopped(engine.state, "customers")
    assert pausing.pause(engine, ["customers"], None, "bo", "Again", at_once=True).left.keys() == {
        "customers"
    }
    with engine.state.begin() as connection:
        lines = [(each["actor"], each["action"], each["subject"]) for each in audit.actions(connection)]
    assert lines[:2] == [("bo", "stop", "vendors"), ("bo", "stop", "customers")]
    pausing.resume(engine, ["customers"], None, "anna")
    pausing.refuse_stopped(engine.state, "customers")
    pausing.pause(engine, ["customers"], None, "anna", "Once more")
    pausing.refuse_stopped(engine.state, "customers")  # an earlier stop is over
