"""What changed moves, and nothing else: updates, deletes, keys that change hands, rows that wait."""

from tests.e2e.engine import rows
from tests.e2e.engine.truth import Truth
from tests.e2e.engine.world import World, named

SOURCES = "msdyn_projectcontractsplitbillingrules"


def test_three_changes_here_and_one_there_are_all_that_moves(world: World) -> None:
    categories = world.dataverse_rows("msdyn_transactioncategories")[:2]
    for place, row in enumerate(categories):
        world.change(
            "msdyn_transactioncategories", row["msdyn_transactioncategoryid"], msdyn_name=f"New {place}"
        )
    project = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[0]
    world.change("msdyn_projects", project["msdyn_projectid"], msdyn_description="Changed: 100% ÅÄÖ")
    world.patch("UnitsOfMeasure", {"UnitSymbol": "ea"}, UnitDescription="Changed")
    world.forget_requests()

    outcomes = world.sync()

    assert named(outcomes, "loaded") == {
        "transaction_categories__dataverse_to_finance": 2,
        "projects__dataverse_to_finance": 1,
        "units__finance_to_dataverse": 1,
    }
    assert len(world.writes()) == 4
    truth = Truth(world)
    for leg in ("transaction_categories", "projects"):
        assert truth.differences(leg, "dataverse_to_finance")[1] == []
    assert truth.differences("units", "finance_to_dataverse")[1] == []


def test_a_deleted_funding_source_is_deleted_in_finance(world: World) -> None:
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    name = rows.fresh("FS")
    source = rows.funding_source(world, name, contract, customer)
    world.forth("customers", "contract_headers", "funding_sources")
    assert len(rows.sources_at_finance(world, name)) == 1

    world.delete(SOURCES, source)
    outcomes = world.sync("funding_sources")

    assert named(outcomes, "loaded") == {"funding_sources__dataverse_to_finance": 1}
    assert rows.sources_at_finance(world, name) == []


def test_a_delete_where_the_map_ignores_deletes_deletes_nothing(world: World) -> None:
    number = rows.fresh("ROLE")
    role = rows.role(world, number)
    world.sync("resource_roles")
    world.delete("bookableresourcecategories", role)
    world.forget_requests()
    world.sync("resource_roles")
    assert rows.role_at_finance(world, number) is not None
    assert world.writes() == []


def test_a_key_that_another_row_took_over_is_alive(world: World) -> None:
    """Deleted and made again under another GUID between two runs, with the very same values."""
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    name = rows.fresh("FS")
    first = rows.funding_source(world, name, contract, customer)
    world.forth("customers", "contract_headers", "funding_sources")

    world.delete(SOURCES, first)
    second = rows.funding_source(world, name, contract, customer)
    world.sync("funding_sources")

    assert len(rows.sources_at_finance(world, name)) == 1
    world.delete(SOURCES, second)
    world.sync("funding_sources")
    assert rows.sources_at_finance(world, name) == []


def test_a_row_made_again_under_another_guid_is_found_by_its_children(world: World) -> None:
    number = rows.fresh("C")
    gone = rows.account(world, number)
    world.forth("customers")
    world.delete("accounts", gone)
    again = rows.account(world, number)
    order = rows.fresh("ORD")
    rows.contract(world, order, again)
    outcomes = world.forth("customers", "contract_headers")
    assert named(outcomes, "parked") == {}
    [contract] = world.finance_rows("ProjectContractHeaders", f"ProjectContractId eq '{order}'")
    assert contract["CustomerAccountNumber"] == number


def test_a_row_given_another_key_leaves_no_row_behind_where_deletes_propagate(world: World) -> None:
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    old, new = rows.fresh("FS"), rows.fresh("FS")
    source = rows.funding_source(world, old, contract, customer)
    world.forth("customers", "contract_headers", "funding_sources")
    world.change(SOURCES, source, msdyn_fundingsourceid=new)
    world.sync("funding_sources")
    assert len(rows.sources_at_finance(world, new)) == 1
    world.delete(SOURCES, source)
    world.sync("funding_sources")
    assert rows.sources_at_finance(world, new) == []
    assert rows.sources_at_finance(world, old) == []


def test_a_child_without_its_parent_is_parked_and_goes_by_itself(world: World) -> None:
    number, order = rows.fresh("C"), rows.fresh("ORD")
    customer = rows.account(world, number, customertypecode=8)  # a prospect: Finance does not get it
    rows.contract(world, order, customer)
    parked = world.forth("customers", "contract_headers")
    assert named(parked, "parked") == {"contract_headers__dataverse_to_finance": 1}
    [letter] = world.letters("contract_headers")
    assert (letter["status"], letter["waits_for_map"], letter["waits_for_id"]) == (
        "parked",
        "customers",
        customer,
    )
    assert world.finance_rows("ProjectContractHeaders", f"ProjectContractId eq '{order}'") == []

    world.change("accounts", customer, customertypecode=3)
    outcomes = world.forth("customers", "contract_headers")

    assert named(outcomes, "loaded") == {
        "customers__dataverse_to_finance": 1,
        "contract_headers__dataverse_to_finance": 1,
    }
    assert world.letters("contract_headers") == []


def test_a_run_for_one_company_forgets_no_parked_row_of_another(world: World) -> None:
    order = rows.fresh("ORD")
    customer = rows.account(world, rows.fresh("C"), customertypecode=8)
    rows.contract(world, order, customer)
    world.sync("contract_headers")
    world.sync("contract_headers", companies=("gbpm",))
    assert [letter["status"] for letter in world.letters("contract_headers")] == ["parked"]

    world.change("accounts", customer, customertypecode=3)
    world.forth("customers", "contract_headers")
    assert len(world.finance_rows("ProjectContractHeaders", f"ProjectContractId eq '{order}'")) == 1
    assert world.letters("contract_headers") == []


def test_customers_that_bill_each_other_in_chains_and_circles_from_finance(world: World) -> None:
    chain, circle = [rows.fresh("F") for _ in range(4)], [rows.fresh("F") for _ in range(3)]
    for number in (*chain, *circle):
        rows.customer(world, number)
    for number, pays in [
        *zip(chain, chain[1:], strict=False),
        *zip(circle, circle[1:] + circle[:1], strict=True),
    ]:
        world.patch("CustomersV3", rows.customer_key(number), InvoiceAccount=pays)

    outcomes = world.sync("customers")

    assert outcomes["customers__finance_to_dataverse"].loaded == 7
    assert Truth(world).differences("customers", "finance_to_dataverse")[1] == []
    world.forget_requests()
    assert named(world.sync("customers"), "loaded") == {}
    assert world.writes() == []


def test_customers_that_bill_each_other_in_chains_and_circles_from_dataverse(world: World) -> None:
    chain, circle = [rows.fresh("D") for _ in range(4)], [rows.fresh("D") for _ in range(3)]
    ids = {number: rows.account(world, number) for number in (*chain, *circle)}
    for number, pays in [
        *zip(chain, chain[1:], strict=False),
        *zip(circle, circle[1:] + circle[:1], strict=True),
    ]:
        bill = {"msdyn_billingaccount@odata.bind": rows.bound("accounts", ids[pays])}
        world.change("accounts", ids[number], **bill)

    outcomes = world.sync("customers")

    assert outcomes["customers__dataverse_to_finance"].loaded == 7
    assert named(outcomes, "parked") == {}
    assert Truth(world).differences("customers", "dataverse_to_finance")[1] == []
    world.forget_requests()
    assert named(world.sync("customers"), "loaded") == {}
    assert world.writes() == []
    assert world.letters("customers") == []


def test_a_customer_that_pays_for_itself(world: World) -> None:
    there, here = rows.fresh("F"), rows.fresh("D")
    rows.customer(world, there)
    world.patch("CustomersV3", rows.customer_key(there), InvoiceAccount=there)
    own = rows.account(world, here)
    world.change("accounts", own, **{"msdyn_billingaccount@odata.bind": rows.bound("accounts", own)})
    outcomes = world.sync("customers")
    assert named(outcomes, "parked") == {}
    truth = Truth(world)
    assert truth.differences("customers", "finance_to_dataverse")[1] == []
    assert truth.differences("customers", "dataverse_to_finance")[1] == []


def test_deletes_are_found_by_the_full_read_that_heals_an_expired_token(world: World) -> None:
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    gone, stays = rows.fresh("FS"), rows.fresh("FS")
    source = rows.funding_source(world, gone, contract, customer)
    rows.funding_source(world, stays, contract, customer)
    world.forth("customers", "contract_headers", "funding_sources")

    world.delete(SOURCES, source)
    world.control.put("/sandbox/clock", json={"advance_seconds": 8 * 86400}).raise_for_status()
    try:
        outcomes = world.sync("funding_sources")
    finally:
        world.control.delete("/sandbox/clock").raise_for_status()

    assert named(outcomes, "loaded") == {"funding_sources__dataverse_to_finance": 1}
    assert rows.sources_at_finance(world, gone) == []
    assert len(rows.sources_at_finance(world, stays)) == 1
