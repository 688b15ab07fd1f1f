"""`$filter` of Finance over HTTP: operators, wildcards, enums, dates, null (protocol 2.1)."""

import httpx
import pytest

NS = "Microsoft.Dynamics.DataEntities"


@pytest.fixture
def customers(finance: httpx.Client) -> None:
    """Three customers: O'Brien & Söhne, 100% Cotton with a long credit limit, and one without a name."""
    assert finance.post("/data/LegalEntities", json={"LegalEntityId": "USPM"}).status_code == 201
    for account, name, limit in (
        ("A1", "O'Brien & Söhne", "0"),
        ("A2", "100% Cotton", "922337203685476.9999"),
        ("A3", "", "0"),
    ):
        body = f'{{"dataAreaId":"USPM","CustomerAccount":"{account}","OrganizationName":"{name}",'
        content = (body + f'"CreditLimit":{limit}}}').encode()
        answer = finance.post("/data/CustomersV3", content=content)
        assert answer.status_code == 201, answer.text


def accounts(client: httpx.Client, where: str) -> list[str]:
    options = {"$filter": where, "$orderby": "CustomerAccount", "$select": "CustomerAccount"}
    answer = client.get("/data/CustomersV3", params=options)
    assert answer.status_code == 200, (where, answer.text)
    return [row["CustomerAccount"] for row in answer.json()["value"]]


def refusal(client: httpx.Client, where: str, entity_set: str = "CustomersV3") -> str:
    answer = client.get(f"/data/{entity_set}", params={"$filter": where})
    assert answer.status_code == 400, (where, answer.text)
    return str(answer.json()["error"]["innererror"]["message"])


@pytest.mark.protocol("finance: filter", "D")
@pytest.mark.usefixtures("customers")
def test_operators(finance: httpx.Client) -> None:
    """[D odata]: eq to le, and, or, not, add, sub, mul, div; divby and mod are those of OData."""
    for where, found in [
        ("CustomerAccount eq 'a1'", ["A1"]),
        ("CustomerAccount ne 'A1'", ["A2", "A3"]),
        ("CustomerAccount gt 'A1' and CustomerAccount le 'A2'", ["A2"]),
        ("CustomerAccount ge 'A2' and CustomerAccount lt 'A3'", ["A2"]),
        (
            "CustomerAccount eq 'A1' or (CustomerAccount eq 'A2' and not(OrganizationName eq 'x'))",
            ["A1", "A2"],
        ),
        ("not (CustomerAccount eq 'A1')", ["A2", "A3"]),
        ("'A1' eq CustomerAccount", ["A1"]),
        ("CustomerAccount eq OrganizationName", []),
        ("CreditLimit eq 922337203685476.9999", ["A2"]),
        ("CreditLimit gt 922337203685476.9998 and CreditLimit lt 922337203685477", ["A2"]),
        ("CreditLimit add 0.1 eq 0.1", ["A1", "A3"]),
        ("CreditLimit sub 0.9999 eq 922337203685476", ["A2"]),
        ("CreditLimit mul 2 eq 1844674407370953.9998", ["A2"]),
        ("CreditLimit divby 2 eq 461168601842738.49995", ["A2"]),
        ("CreditLimit mod 10 eq 6.9999", ["A2"]),
        ("CreditLimit div 0 eq 1", []),
        ("CreditLimit add 1 mul 2 eq 2", ["A1", "A3"]),
        ("CustomerAccount eq @a and CreditLimit eq 0", []),
    ]:
        assert accounts(finance, where) == found, where


@pytest.mark.protocol("finance: wildcards", "D")
@pytest.mark.usefixtures("customers")
def test_a_star_stands_for_any_run_wherever_it_is(finance: httpx.Client) -> None:
    """[D odata]: `eq '*retail*'` is the contains of Finance; SQL's wildcards are only characters."""
    for where, found in [
        ("OrganizationName eq '*Söhne*'", ["A1"]),
        ("OrganizationName eq '*SÖHNE'", ["A1"]),
        ("OrganizationName eq 'o''brien*'", ["A1"]),
        ("OrganizationName eq 'O*&*e'", ["A1"]),
        ("OrganizationName eq '100%*'", ["A2"]),
        ("OrganizationName eq '10__*'", []),
        ("OrganizationName ne '*cotton'", ["A1", "A3"]),
        ("OrganizationName eq '*'", ["A1", "A2", "A3"]),
        ("OrganizationName eq '**o**n*'", ["A1", "A2"]),
        ("'*Cotton' eq OrganizationName", ["A2"]),
        ("CustomerAccount eq '*1' or CustomerAccount eq '*3'", ["A1", "A3"]),
    ]:
        assert accounts(finance, where) == found, where
    path = "/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A*')"
    assert finance.get(path).status_code == 404, "a key is no pattern"


@pytest.mark.protocol("finance: filter", "?")
@pytest.mark.usefixtures("customers")
def test_text_functions_depend_on_the_entity(finance: httpx.Client) -> None:
    """[?]: some entities refuse them with 400; ours is the one of posted invoices."""
    assert accounts(finance, "contains(OrganizationName,'söhne')") == ["A1"]
    assert accounts(finance, "startswith(OrganizationName,'100')") == ["A2"]
    assert accounts(finance, "endswith(OrganizationName,'cotton') eq true or CustomerAccount eq 'x'") == [
        "A2"
    ]
    for function in ("contains", "startswith", "endswith"):
        where = f"{function}(InvoiceId,'1')"
        assert f"'{function}' is not supported" in refusal(finance, where, "ProjectCustomerInvoices")
    assert finance.get("/data/ProjectCustomerInvoices?$filter=InvoiceId eq '*1*'").status_code == 200


@pytest.mark.protocol("finance: null", "?")
@pytest.mark.usefixtures("customers")
def test_null_is_the_blank_of_the_type(finance: httpx.Client) -> None:
    assert accounts(finance, "OrganizationName eq ''") == ["A3"]
    assert accounts(finance, "OrganizationName eq null") == ["A3"]
    assert accounts(finance, "OrganizationName ne null") == ["A1", "A2"]
    assert accounts(finance, "CreditLimit eq null") == ["A1", "A3"]


@pytest.mark.protocol("finance: enum value", "D")
@pytest.mark.usefixtures("customers")
def test_enums_compare_with_literals_of_their_type_by_eq_and_ne(finance: httpx.Client) -> None:
    assert accounts(finance, f"OnHoldStatus eq {NS}.CustVendorBlocked'No'") == ["A1", "A2", "A3"]
    assert accounts(finance, f"OnHoldStatus ne {NS}.CustVendorBlocked'No'") == []
    for where, message in [
        (f"OnHoldStatus gt {NS}.CustVendorBlocked'No'", "eq and ne only"),
        (f"OnHoldStatus eq {NS}.CustVendorBlocked'Nope'", "enumeration"),
        (f"OnHoldStatus eq {NS}.NoYes'No'", "incompatible types"),
        ("OnHoldStatus eq 'No'", "incompatible types"),
        ("OnHoldStatus eq 0", "incompatible types"),
    ]:
        assert message in refusal(finance, where), where


@pytest.mark.protocol("finance: filter", "D")
@pytest.mark.usefixtures("customers")
def test_days_and_instants(finance: httpx.Client) -> None:
    worker = {
        "PersonnelNumber": "P1",
        "SeniorityDate": "2028-02-29",
        "OriginalHireDateTime": "2028-03-01T08:30:00Z",
    }
    assert finance.post("/data/Workers", json=worker).status_code == 201
    for where, found in [
        ("SeniorityDate eq 2028-02-29T12:00:00Z", 1),
        ("SeniorityDate eq 2028-02-29", 1),
        ("SeniorityDate lt 2028-03-01 and SeniorityDate ge 2028-02-29", 1),
        ("SeniorityDate eq null", 0),
        ("OriginalHireDateTime eq 2028-03-01T09:30:00+01:00", 1),
        ("OriginalHireDateTime gt 2028-03-01T08:30:00Z", 0),
    ]:
        answer = finance.get("/data/Workers", params={"$filter": where})
        assert len(answer.json()["value"]) == found, (where, answer.text)
    assert "incompatible types" in refusal(finance, "SeniorityDate eq '2028-02-29'", "Workers")


@pytest.mark.protocol("finance: filter", "D")
@pytest.mark.usefixtures("customers")
def test_what_finance_refuses(finance: httpx.Client) -> None:
    for where, message in [
        ("Nope eq 1", "Could not find a property named 'Nope'"),
        ("customeraccount eq 'A1'", "Could not find a property named 'customeraccount'"),
        ("CustomerAccount in ('A1')", "'in' is not supported"),
        ("CustomerAccount in ('A1','A2')", "'in' is not supported"),
        (f"OnHoldStatus has {NS}.CustVendorBlocked'No'", "'has' is not supported"),
        ("CustomerAccount eq 5", "incompatible types"),
        ("CreditLimit eq 'x'", "incompatible types"),
        ("CustomerAccount eq 'O'Brien'", "unterminated literal"),
        ("CustomerAccount eq", "Syntax error"),
        ("CustomerAccount eq 'a'; drop table finance_customersv3", "Syntax error"),
        ("substring(CustomerAccount,1) eq 'a'", "not supported"),
        ("CustomerAccount eq 'a\x00'", "Unrecognized"),
    ]:
        assert message in refusal(finance, where), where


@pytest.mark.protocol("finance: options", "D")
@pytest.mark.usefixtures("customers")
def test_counts_are_of_what_the_filter_leaves(finance: httpx.Client) -> None:
    where = {"$filter": "CreditLimit eq 0"}
    assert finance.get("/data/CustomersV3/$count", params=where).text == "2"
    assert (
        finance.get("/data/CustomersV3", params={**where, "$count": "true", "$top": "1"}).json()[
            "@odata.count"
        ]
        == 2
    )
    assert "@odata.count" not in finance.get("/data/CustomersV3?$count=false").json()
