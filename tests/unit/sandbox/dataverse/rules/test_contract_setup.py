"""Contracts as they are set up (R103, R105, R112)."""

from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.options import OrderType
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm

CUSTOMER = "msdyn_projectcontractsplitbillingrule"


def saved(firm: Firm, number: str, **values: Any) -> str:
    """A project contract as a person saves it."""
    contract = {
        "ordernumber": number,
        "name": number,
        "msdyn_ordertype": OrderType.WORK_BASED,
        "msdyn_company": firm.companies["USPM"],
    }
    return as_user(firm.desk, "salesorder", None, contract | values)


def customers(desk: Desk, contract: str) -> list[tuple[Any, ...]]:
    rows = desk.find(CUSTOMER, msdyn_projectcontract=contract)
    return [(it["msdyn_customer"], it["msdyn_splitpercentage"], it["msdyn_isprimary"]) for it in rows]


def test_r103_saving_a_contract_makes_its_customer_a_contract_customer(firm: Firm) -> None:
    first, second = firm.account("A"), firm.account("B")
    contract = saved(firm, "C-1", customerid=first)
    assert customers(firm.desk, contract) == [(first, 100, True)]
    [row] = firm.desk.find(CUSTOMER, msdyn_projectcontract=contract)
    assert row["msdyn_fundingsourceid"].startswith("FS-")
    assert row["msdyn_company"] == firm.companies["USPM"]
    as_user(firm.desk, "salesorder", contract, {"customerid": second})
    assert customers(firm.desk, contract) == [(second, 100, True)]


def test_r103_a_contract_that_gets_its_customer_later(firm: Firm) -> None:
    contract = saved(firm, "C-1")
    assert customers(firm.desk, contract) == []
    account = firm.account("A")
    as_user(firm.desk, "salesorder", contract, {"customerid": account})
    assert customers(firm.desk, contract) == [(account, 100, True)]


def test_r103_who_says_who_pays_is_believed(firm: Firm) -> None:
    account = firm.account("A")
    contract = saved(firm, "C-1", customerid=account)
    own = {"msdyn_fundingsourceid": "FS-1", "msdyn_projectcontract": contract, "msdyn_customer": account}
    row_id = as_user(firm.desk, CUSTOMER, None, own | {"msdyn_company": firm.companies["USPM"]})
    [row] = firm.desk.find(CUSTOMER, msdyn_projectcontract=contract)
    assert row["msdyn_projectcontractsplitbillingruleid"] == row_id


def test_an_item_based_order_has_no_contract_customers(firm: Firm) -> None:
    order = saved(firm, "SO-1", customerid=firm.account("A"), msdyn_ordertype=OrderType.ITEM_BASED)
    assert customers(firm.desk, order) == []


def test_r105_a_line_links_its_project_to_the_contract_and_its_customer(firm: Firm) -> None:
    contract = firm.contract("C-1")
    project = firm.project("P-1", contract)
    stored = firm.desk.get("msdyn_project", project)
    assert stored["msdyn_salesorderid"] == contract
    assert stored["msdyn_customer"] == firm.desk.get("salesorder", contract)["customerid"]


def test_r105_two_lines_of_one_contract_may_share_a_project_two_contracts_may_not(firm: Firm) -> None:
    contract = firm.contract("C-1")
    project = firm.project("P-1", contract)
    second = {"salesorderid": contract, "sequencenumber": 2, "msdyn_project": project}
    assert as_user(firm.desk, "salesorderdetail", None, second)
    foreign = {"salesorderid": firm.contract("C-2"), "sequencenumber": 1, "msdyn_project": project}
    with pytest.raises(ApiError, match="Project P-1 is on another contract"):
        as_user(firm.desk, "salesorderdetail", None, foreign)


@pytest.mark.parametrize(
    ("table", "company"), [("salesorder", "msdyn_company"), ("msdyn_project", "msdyn_owningcompany")]
)
def test_r112_unit_and_company_have_one_currency(firm: Firm, table: str, company: str) -> None:
    for code, currency in {"USPM": "USD", "GBPM": "GBP"}.items():
        firm.desk.update(
            "msdyn_organizationalunit", firm.units[code], {"msdyn_currency": firm.currencies[currency]}
        )
        ledger = {
            "msdyn_company": firm.companies[code],
            "msdyn_accountingcurrency": firm.currencies[currency],
        }
        firm.desk.create("msdyn_ledger", ledger)
    own = {"ordernumber": "C-1"} if table == "salesorder" else {"msdyn_subject": "P-1"}
    unit = {"msdyn_contractorganizationalunitid": firm.units["USPM"]}
    message = "Owning company currency does not match the contracting unit currency. Pick different"
    with pytest.raises(ApiError, match=message):
        as_user(firm.desk, table, None, own | unit | {company: firm.companies["GBPM"]})
    row_id = as_user(firm.desk, table, None, own | unit | {company: firm.companies["USPM"]})
    with pytest.raises(ApiError, match=message):
        as_user(firm.desk, table, row_id, {"msdyn_contractorganizationalunitid": firm.units["GBPM"]})
