"""Rows that tests make, each with a key of its own."""

import itertools

from tests.e2e.engine.world import Value, World

_numbers = itertools.count(1)


def fresh(prefix: str) -> str:
    """A key that no other row has."""
    return f"{prefix}-{next(_numbers):05d}"


def bound(entity_set: str, row_id: str) -> str:
    return f"/{entity_set}({row_id})"


def company(world: World, code: str = "USPM") -> str:
    row = world.dataverse_row("cdm_companies", f"cdm_companycode eq '{code}'")
    return bound("cdm_companies", row["cdm_companyid"])


def currency(world: World, code: str = "USD") -> str:
    row = world.dataverse_row("transactioncurrencies", f"isocurrencycode eq '{code}'")
    return bound("transactioncurrencies", row["transactioncurrencyid"])


def account(world: World, number: str, **values: Value) -> str:
    """A customer of USPM in Dataverse; gives its GUID."""
    facts = {
        "accountnumber": number,
        "name": f"Customer {number}",
        "customertypecode": 3,
        "msdyn_onholdstatus": 192350000,
        "msdyn_company@odata.bind": company(world),
        "transactioncurrencyid@odata.bind": currency(world),
    }
    return world.create("accounts", **(facts | values))


def customer(world: World, number: str, **values: Value) -> None:
    """A customer of USPM in Finance."""
    facts = {
        "dataAreaId": "uspm",
        "CustomerAccount": number,
        "OrganizationName": f"Customer {number}",
        "PartyType": "Organization",
        "SalesCurrencyCode": "USD",
        "CustomerGroupId": "30",
        "LanguageId": "en-us",
    }
    world.post("CustomersV3", **(facts | values))


def customer_key(number: str) -> dict[str, str]:
    return {"dataAreaId": "uspm", "CustomerAccount": number}


def at_finance(world: World, number: str) -> dict[str, Value] | None:
    """The customer as Finance holds it, or None."""
    rows = world.finance_rows("CustomersV3", f"CustomerAccount eq '{number}'")
    return dict(rows[0]) if rows else None


def at_dataverse(world: World, number: str) -> dict[str, Value] | None:
    """The account as Dataverse holds it, or None."""
    rows = world.dataverse_rows("accounts", f"accountnumber eq '{number}'")
    return dict(rows[0]) if rows else None


def contract(world: World, number: str, customer_id: str) -> str:
    """A project contract of USPM; gives its GUID."""
    return world.create(
        "salesorders",
        **{
            "ordernumber": number,
            "name": f"Contract {number}",
            "msdyn_ordertype": 192350001,
            "msdyn_company@odata.bind": company(world),
            "transactioncurrencyid@odata.bind": currency(world),
            "customerid_account@odata.bind": bound("accounts", customer_id),
        },
    )


def funding_source(world: World, name: str, contract_id: str, customer_id: str, **values: Value) -> str:
    """A funding source of a contract of USPM; gives its GUID."""
    facts = {
        "msdyn_fundingsourceid": name,
        "msdyn_name": name,
        "msdyn_isprimary": False,
        "msdyn_billtoname": "Bill to",
        "msdyn_projectcontract@odata.bind": bound("salesorders", contract_id),
        "msdyn_customer@odata.bind": bound("accounts", customer_id),
        "msdyn_company@odata.bind": company(world),
    }
    return world.create("msdyn_projectcontractsplitbillingrules", **(facts | values))


def sources_at_finance(world: World, name: str) -> list[dict[str, Value]]:
    return [dict(row) for row in world.finance_rows("ProjectFundingSources", f"FundingSourceId eq '{name}'")]


def role(world: World, number: str, **values: Value) -> str:
    """A resource role; gives its GUID."""
    facts = {"msdyn_resourcecategorynumber": number, "name": f"Role {number}"}
    return world.create("bookableresourcecategories", **(facts | values))


def role_at_finance(world: World, number: str) -> dict[str, Value] | None:
    rows = world.finance_rows("ResourceCategoriesShared", f"RoleId eq '{number}'")
    return dict(rows[0]) if rows else None


def worker(world: World, number: str) -> None:
    """A worker in Finance, whose last name is its number."""
    world.post("Workers", PersonnelNumber=number, FirstName="New", LastName=number, Name=f"New {number}")


def project(world: World, number: str, **values: Value) -> str:
    """A project of USPM, internal unless a contract is given; gives its GUID."""
    facts = {
        "msdyn_projectnumber": number,
        "msdyn_subject": number,
        "msdyn_istemplate": False,
        "msdyn_scheduledstart": "2026-05-01T00:00:00Z",
        "msdyn_scheduledend": "2026-12-31T00:00:00Z",
        "msdyn_owningcompany@odata.bind": company(world),
        "transactioncurrencyid@odata.bind": currency(world),
    }
    return world.create("msdyn_projects", **(facts | values))


def project_task(world: World, number: str, project_id: str, **values: Value) -> str:
    """A task of a project; gives its GUID."""
    facts = {
        "msdyn_projecttasknumber": number,
        "msdyn_subject": number,
        "msdyn_wbsid": "1",
        "msdyn_islinetask": False,
        "msdyn_project@odata.bind": bound("msdyn_projects", project_id),
    }
    return world.create("msdyn_projecttasks", **(facts | values))
