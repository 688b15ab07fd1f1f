"""Documented errors: provoked, set aside under their id, and gone after the remedy."""

import uuid
from typing import Any

import pytest

from projops.errors import StopError
from projops.replay import Selection, dismiss
from tests.e2e.engine import rows
from tests.e2e.engine.world import World, named


def message(world: World, error: str, text: str, **values: Any) -> dict[str, str]:
    """A message of a job in Finance; gives its key."""
    key = {"dataAreaId": "uspm", "MessageId": rows.fresh("M")}
    facts = {"ErrorId": error, "MessageText": text, "Severity": "Error", "Resolved": "No"}
    world.post("ProjectIntegrationMessages", **(key | facts | values))
    return key


def test_messages_of_jobs_stand_among_the_dead_letters_until_the_job_passes_e11(world: World) -> None:
    actual = str(uuid.uuid4())
    text = f"Unable to import actual {actual}: the companies GBSI and USPM have no intercompany relationship."
    key = message(world, "E11", text, ActualsImportId=actual)
    world.sync("actuals")
    [letter] = world.letters("actuals")
    assert (letter["rule"], letter["stage"], letter["leg"]) == ("E11", "finance", "finance_to_dataverse")
    assert (letter["key"], letter["message"]) == (f'["{actual}","uspm"]', text)

    world.sync("actuals")
    [again] = world.letters("actuals")
    assert (again["id"], again["attempts"]) == (letter["id"], 1)
    left = world.replay("actuals").left
    assert left == {
        letter["id"]: "It is closed by itself once the job in Finance passes; run that job again."
    }

    world.patch("ProjectIntegrationMessages", key, Resolved="Yes")
    world.sync("actuals")
    assert world.letters("actuals") == []
    [closed] = world.sql("select * from dead_letter where id = :id", id=letter["id"])
    assert (closed["status"], closed["closed_because"]) == ("resolved", "passed by its job in Finance")


def test_messages_about_proposals_belong_to_their_map_and_warnings_to_nobody_e9_e10(world: World) -> None:
    key = message(world, "E9", "Project transaction hasn't been posted yet.", DocumentNumber="INV-1")
    told = message(world, "", "Quantities differ.", Severity="Warning")
    world.sync("actuals", "invoice_proposals")
    assert world.letters("actuals") == []
    [letter] = world.letters("invoice_proposals")
    assert (letter["rule"], letter["key"]) == ("E9", '["inv-1","uspm"]')
    for each in (key, told):
        world.patch("ProjectIntegrationMessages", each, Resolved="Yes")
    world.sync("invoice_proposals")
    assert world.letters("invoice_proposals") == []


def test_a_dismissed_row_is_gone_until_it_changes(world: World) -> None:
    bad = rows.project(world, rows.fresh("PRJ"), msdyn_scheduledend="2001-01-01T00:00:00Z")
    world.forth("projects")
    [letter] = world.letters("projects")
    this = Selection((letter["id"],))
    with world.engine() as engine:
        with pytest.raises(StopError, match="needs a reason"):
            dismiss(engine.state, this, " ", "a test")
        dismiss(engine.state, this, "Entered by mistake", "a test")
        with pytest.raises(StopError, match=f"Dead letter {letter['id']} was dismissed on"):
            dismiss(engine.state, this, "Again", "a test")
    assert world.letters("projects") == []
    assert named(world.forth("projects"), "rejected") == {}
    world.change("msdyn_projects", bad, msdyn_description="Touched")
    assert world.forth("projects")["projects__dataverse_to_finance"].rejected == 1
    world.delete("msdyn_projects", bad)
    world.forth("projects")
