"""Rows that cannot move: named with rule, field and message, never in the way of the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from projops.errors import BreakerOpenError
from tests.e2e.engine import rows
from tests.e2e.engine.truth import Truth
from tests.e2e.engine.world import World, named

SOURCES = "msdyn_projectcontractsplitbillingrules"
PROJECTS = "projects__dataverse_to_finance"
FUNDING = "funding_sources__dataverse_to_finance"
LONG_AGO = "2001-01-01T00:00:00Z"


@pytest.fixture
def projects(world: World) -> list[dict[str, Any]]:
    """Projects that are in step; a test mends those that it breaks."""
    world.sync("projects")
    found = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")
    world.forget_requests()
    return [dict(row) for row in sorted(found, key=lambda row: row["msdyn_projectnumber"])]


def break_(world: World, project: dict[str, Any]) -> None:
    world.change("msdyn_projects", project["msdyn_projectid"], msdyn_scheduledend=LONG_AGO)


def mend(world: World, project: dict[str, Any]) -> None:
    world.change(
        "msdyn_projects", project["msdyn_projectid"], msdyn_scheduledend=project["msdyn_scheduledend"]
    )


def test_a_row_that_breaks_a_rule_is_set_aside_and_the_rest_goes(
    world: World, projects: list[dict[str, Any]]
) -> None:
    bad, good = projects[0], projects[1]
    break_(world, bad)
    world.change("msdyn_projects", good["msdyn_projectid"], msdyn_description="Goes on")
    outcome = world.sync("projects")[PROJECTS]
    assert (outcome.read, outcome.loaded, outcome.rejected) == (2, 1, 1)
    [letter] = world.letters("projects")
    assert (letter["status"], letter["stage"], letter["rule"]) == ("open", "validate", "project_dates")
    assert letter["field"] == "msdyn_scheduledend, msdyn_scheduledstart"
    assert letter["message"].startswith("The project's scheduled end lies before its start")
    assert letter["source_id"] == bad["msdyn_projectid"]

    break_(world, bad)  # seen again, still bad: the same letter
    world.sync("projects")
    [again] = world.letters("projects")
    assert (again["id"], again["attempts"]) == (letter["id"], 2)

    mend(world, bad)
    world.sync("projects")
    assert world.letters("projects") == []
    [closed] = world.sql("select * from dead_letter where id = :id", id=letter["id"])
    assert (closed["status"], closed["closed_at"] is not None) == ("resolved", True)


def test_a_row_that_was_set_aside_and_then_deleted_is_forgotten(world: World) -> None:
    number = rows.fresh("PRJ")
    project = world.create(
        "msdyn_projects",
        **{
            "msdyn_projectnumber": number,
            "msdyn_subject": number,
            "msdyn_istemplate": False,
            "msdyn_scheduledstart": "2026-05-01T00:00:00Z",
            "msdyn_scheduledend": LONG_AGO,
            "msdyn_owningcompany@odata.bind": rows.company(world),
            "transactioncurrencyid@odata.bind": rows.currency(world),
        },
    )
    world.sync("projects")
    assert [letter["rule"] for letter in world.letters("projects")] == ["project_dates"]
    world.delete("msdyn_projects", project)
    world.sync("projects")
    assert world.letters("projects") == []


def test_a_row_that_was_set_aside_and_then_left_the_filter_is_forgotten(
    world: World, projects: list[dict[str, Any]]
) -> None:
    bad = projects[2]
    break_(world, bad)
    world.sync("projects")
    assert len(world.letters("projects")) == 1
    world.change("msdyn_projects", bad["msdyn_projectid"], msdyn_istemplate=True)
    world.sync("projects")
    assert world.letters("projects") == []
    mend(world, bad)
    world.change("msdyn_projects", bad["msdyn_projectid"], msdyn_istemplate=False)
    assert world.sync("projects")[PROJECTS].rejected == 0


def test_too_many_bad_rows_open_the_breaker_and_nothing_is_loaded(
    world: World, projects: list[dict[str, Any]]
) -> None:
    careful = world.with_settings(breaker_rows=2)
    for bad in projects[3:6]:
        break_(world, bad)
    good = projects[6]["msdyn_projectid"]
    world.change("msdyn_projects", good, msdyn_description="Waits for the others")
    world.forget_requests()
    [mark] = world.sql("select watermark from leg where map = 'projects'")
    for _ in range(2):
        with pytest.raises(BreakerOpenError, match="3 of 4"):
            careful.sync("projects")
    assert world.writes() == []
    assert world.sql("select watermark from leg where map = 'projects'") == [mark]
    assert {letter["rule"] for letter in world.letters("projects")} == {"project_dates"}

    for bad in projects[3:6]:
        mend(world, bad)
    outcome = careful.sync("projects")[PROJECTS]
    assert (outcome.read, outcome.loaded, outcome.unchanged) == (4, 1, 3)
    assert world.letters("projects") == []


def test_up_to_its_limits_the_breaker_stays_closed(world: World, projects: list[dict[str, Any]]) -> None:
    """More than the rows and more than the share: only both together open it."""
    bad = projects[7:9]
    for project in bad:
        break_(world, project)
    outcome = world.with_settings(breaker_rows=2).sync("projects")[PROJECTS]
    assert outcome.rejected == 2
    for project in projects[10:19]:
        world.change("msdyn_projects", project["msdyn_projectid"], msdyn_description="Enough good ones")
    break_(world, bad[0])
    outcome = world.with_settings(breaker_rows=0).sync("projects")[PROJECTS]
    assert (outcome.rejected, outcome.loaded) == (1, 9)
    for project in bad:
        mend(world, project)
    assert world.sync("projects")[PROJECTS].rejected == 0
    assert world.letters("projects") == []


def test_a_row_of_a_currency_that_finance_lacks_goes_once_the_currency_is_there(world: World) -> None:
    money = world.create(
        "transactioncurrencies",
        isocurrencycode="XTS",
        currencyname="Test",
        currencysymbol="X",
        exchangerate=1,
        currencyprecision=2,
    )
    bad, good = rows.fresh("C"), rows.fresh("C")
    rows.account(world, bad, **{"transactioncurrencyid@odata.bind": f"/transactioncurrencies({money})"})
    rows.account(world, good)
    outcomes = world.forth("customers")
    assert rows.at_finance(world, good) is not None
    assert rows.at_finance(world, bad) is None
    assert named(outcomes, "loaded") == {"customers__dataverse_to_finance": 1}
    [letter] = world.letters("customers")
    assert letter["status"] == "parked"
    assert (letter["waits_for_map"], letter["waits_for_id"]) == ("currencies", money)

    world.post("Currencies", CurrencyCode="XTS", Name="Test", Symbol="X")
    world.sync("currencies")
    world.forth("customers")
    assert rows.at_finance(world, bad) is not None
    assert world.letters("customers") == []


def test_what_finance_refuses_waits_with_its_own_sentence_and_goes_once_it_can(world: World) -> None:
    """Somebody has deleted the contract in Finance, behind the engine's back."""
    customer = rows.account(world, rows.fresh("C"))
    order, name = rows.fresh("ORD"), rows.fresh("FS")
    contract = rows.contract(world, order, customer)
    world.forth("customers", "contract_headers")
    [header] = world.finance_rows("ProjectContractHeaders", f"ProjectContractId eq '{order}'")
    world.remove("ProjectContractHeaders", {"dataAreaId": "uspm", "ProjectContractId": order})
    rows.funding_source(world, name, contract, customer)
    assert world.sync("funding_sources")[FUNDING].parked == 1
    [letter] = world.letters("funding_sources")
    assert (letter["status"], letter["stage"], letter["waits_for_map"]) == ("parked", "load", None)
    assert order in letter["message"]
    assert "does not exist" in letter["message"]
    assert "   at " not in letter["message"]  # no stack trace

    kept = ("dataAreaId", "ProjectContractId", "Name", "SalesCurrencyCode", "CustomerAccountNumber")
    world.post("ProjectContractHeaders", **{field: header[field] for field in kept})
    assert world.sync("funding_sources")[FUNDING].loaded == 1
    assert world.letters("funding_sources") == []


NO_ODD_ONES = """\
map: projects
expectations:
  - rule: odd
    leg: dataverse_to_finance
    expectation: expect_column_values_to_not_match_regex
    columns: {column: msdyn_description}
    options: {regex: Odd}
    message: The description is odd; write another.
"""


def test_a_row_goes_by_a_replay_after_the_rule_that_it_broke_was_mended(
    world: World, projects: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Nothing in the row changes, so that nothing but the replay can bring it along."""
    folder = tmp_path / "include" / "expectations"
    folder.mkdir(parents=True)
    (folder / "projects.yaml").write_text(NO_ODD_ONES)
    world.change("msdyn_projects", projects[0]["msdyn_projectid"], msdyn_description="Odd and new")
    assert world.with_settings(expectations=folder).forth("projects")[PROJECTS].rejected == 1
    [letter] = world.letters("projects")
    assert (letter["rule"], letter["value"]) == ("odd", "Odd and new")
    assert json.loads(letter["payload"])["msdyn_description"] == "Odd and new"
    assert "Odd and new" not in letter["message"]

    assert named(world.forth("projects"), "loaded") == {}
    assert world.replay("projects").marked == (letter["id"],)
    assert world.forth("projects")[PROJECTS].loaded == 1
    assert world.letters("projects") == []
    assert Truth(world).differences("projects", "dataverse_to_finance")[1] == []


def test_an_empty_read_of_what_was_not_empty_deletes_nothing(world: World) -> None:
    """As when the integration user has lost its right to read rows."""
    from projops.errors import ImplausibleReadError

    before = len(world.finance_rows("ProjectFundingSources"))
    held = world.dataverse_rows(SOURCES)
    for row in held:
        world.delete(SOURCES, row["msdyn_projectcontractsplitbillingruleid"])
    world.forget_requests()
    with pytest.raises(ImplausibleReadError, match="came back empty"):
        world.sync("funding_sources", mode="full")
    assert len(world.finance_rows("ProjectFundingSources")) == before
    assert world.writes() == []
