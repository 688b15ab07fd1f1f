"""Contacts, and accounts named by their number alone (protocol 1.3 to 1.5)."""

import httpx
import pytest

NOBODY = "00000000-0000-0000-0000-00000000beef"
ACCOUNT = {"@odata.type": "Microsoft.Dynamics.CRM.account"}


def place_of(answer: httpx.Response) -> str:
    assert answer.status_code == 204, answer.text
    place: str = answer.headers["OData-EntityId"]
    return place


def made(dataverse: httpx.Client, entity_set: str, **body: object) -> str:
    return place_of(dataverse.post(entity_set, json=body))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def names(dataverse: httpx.Client, query: str) -> list[str]:
    answer = dataverse.get(query)
    assert answer.status_code == 200, answer.text
    return sorted(row["name"] for row in answer.json()["value"])


@pytest.fixture
def companies(dataverse: httpx.Client) -> tuple[str, str]:
    one, two = (made(dataverse, "cdm_companies", cdm_companycode=code) for code in ("USPM", "DEMF"))
    return one, two


@pytest.mark.protocol("write: create", "D")
@pytest.mark.protocol("write: column", "D")
def test_the_full_name_is_computed(dataverse: httpx.Client) -> None:
    place = made(
        dataverse,
        "contacts",
        firstname="Yvonne",
        middlename="M.",
        lastname="McKay",
        fullname="ignored",
        birthdate="1980-02-29",
        gendercode=2,
        familystatuscode=1,
        creditlimit=12.5,
        address1_city="Redmond",
    )
    row = dataverse.get(place, headers={"Prefer": 'odata.include-annotations="*"'}).json()
    assert (row["fullname"], row["birthdate"]) == ("Yvonne McKay", "1980-02-29")
    assert row["gendercode@OData.Community.Display.V1.FormattedValue"] == "Female"
    assert row["familystatuscode@OData.Community.Display.V1.FormattedValue"] == "Single"
    assert (row["statecode"], row["statuscode"], row["donotemail"]) == (0, 1, False)
    for body, expected in (
        ({"lastname": "Doe"}, "Yvonne Doe"),
        ({"firstname": None}, "Doe"),
        ({"jobtitle": "Engineer", "fullname": "ignored"}, "Doe"),
        ({"lastname": None}, None),
    ):
        assert dataverse.patch(place, json=body).status_code == 204
        assert dataverse.get(place).json()["fullname"] == expected
    assert dataverse.put(f"{place}/fullname", json={"value": "x"}).status_code == 400
    targets = [
        {"@odata.type": "Microsoft.Dynamics.CRM.contact", "firstname": "F", "lastname": str(number)}
        for number in range(2)
    ]
    many = dataverse.post("contacts/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": targets})
    ids = many.json()["Ids"]
    assert [dataverse.get(f"contacts({each})").json()["fullname"] for each in ids] == ["F 0", "F 1"]


@pytest.mark.protocol("write: lookup", "D")
@pytest.mark.protocol("write: reference", "D")
@pytest.mark.protocol("query: filter navigation", "D")
def test_the_primary_contact_of_an_account(dataverse: httpx.Client) -> None:
    contact = made(dataverse, "contacts", firstname="Ann", lastname="O'Hara")
    bind = {"primarycontactid@odata.bind": f"/contacts({contact[-37:-1]})"}
    account = made(dataverse, "accounts", name="A", **bind)
    made(dataverse, "accounts", name="B")
    by_name = "accounts?$select=name&$filter=primarycontactid/fullname eq 'ann o''hara'"
    assert names(dataverse, by_name) == ["A"]
    row = dataverse.get(f"{account}?$select=name&$expand=primarycontactid($select=fullname)").json()
    assert row["primarycontactid"]["fullname"] == "Ann O'Hara"
    assert dataverse.get(f"{account}/primarycontactid/$ref").json()["@odata.id"] == contact
    assert names(dataverse, f"{contact}/account_primary_contact") == ["A"]
    assert dataverse.delete(f"{account}/primarycontactid/$ref").status_code == 204
    assert dataverse.get(account).json()["_primarycontactid_value"] is None
    assert names(dataverse, by_name) == []
    unknown = {"primarycontactid@odata.bind": f"/contacts({NOBODY})"}
    assert refusal(dataverse.patch(account, json=unknown)) == (404, "0x80040217")
    wrong_case = dataverse.patch(account, json={"PrimaryContactId@odata.bind": contact})
    assert wrong_case.status_code == 400
    assert "undeclared property" in wrong_case.text
    # Deleting the contact empties the lookup.
    dataverse.patch(account, json=bind)
    assert dataverse.delete(contact).status_code == 204
    assert dataverse.get(account).json()["_primarycontactid_value"] is None


@pytest.mark.protocol("write: lookup", "D")
@pytest.mark.protocol("query: expand", "D")
@pytest.mark.protocol("query: filter lambda", "D")
def test_an_account_is_created_with_its_contacts(dataverse: httpx.Client) -> None:
    """Deep insert as the documentation's own samples have it."""
    body = {
        "name": "Contoso",
        "primarycontactid": {"firstname": "Yvonne", "lastname": "McKay"},
        "contact_customer_accounts": [{"lastname": "Smith"}, {"lastname": "Jones"}],
    }
    account = place_of(dataverse.post("accounts", json=body))
    expand = (
        "primarycontactid($select=fullname),contact_customer_accounts($select=fullname;$orderby=fullname)"
    )
    row = dataverse.get(f"{account}?$select=name&$expand={expand}").json()
    assert row["primarycontactid"]["fullname"] == "Yvonne McKay"
    assert [each["fullname"] for each in row["contact_customer_accounts"]] == ["Jones", "Smith"]
    some = "accounts?$filter=contact_customer_accounts/any(c:c/lastname eq 'Jones')"
    assert names(dataverse, some) == ["Contoso"]


@pytest.mark.protocol("write: lookup", "D")
@pytest.mark.protocol("query: annotations", "D")
def test_a_contact_belongs_to_an_account_or_to_a_contact(dataverse: httpx.Client) -> None:
    account = made(dataverse, "accounts", name="A")
    parent = made(dataverse, "contacts", lastname="Parent")
    child = made(dataverse, "contacts", lastname="Child")
    for kind, place, name in (("contact", parent, "Parent"), ("account", account, "A")):
        navigation = f"parentcustomerid_{kind}"
        assert dataverse.patch(child, json={f"{navigation}@odata.bind": place}).status_code == 204
        headers = {"Prefer": 'odata.include-annotations="*"'}
        row = dataverse.get(f"{child}?$expand={navigation}", headers=headers).json()
        said = "_parentcustomerid_value@"
        assert row["_parentcustomerid_value"] == place[-37:-1] == row[f"_{ROLES[kind]}_value"]
        assert row[f"{said}OData.Community.Display.V1.FormattedValue"] == name
        assert row[f"{said}Microsoft.Dynamics.CRM.lookuplogicalname"] == kind
        assert row[f"{said}Microsoft.Dynamics.CRM.associatednavigationproperty"] == navigation
        assert row[navigation][f"{kind}id"] == place[-37:-1]
    assert row["_parentcontactid_value"] is None
    mixed = dataverse.patch(child, json={"parentcustomerid_contact@odata.bind": account})
    assert mixed.status_code == 400


ROLES = {"account": "accountid", "contact": "parentcontactid"}


@pytest.mark.protocol("tracking: delta", "D")
def test_contacts_are_tracked(dataverse: httpx.Client) -> None:
    made(dataverse, "contacts", lastname="Before")
    first = dataverse.get("contacts?$select=fullname", headers={"Prefer": "odata.track-changes"}).json()
    assert [row["fullname"] for row in first["value"]] == ["Before"]
    made(dataverse, "contacts", lastname="After")
    delta = dataverse.get(first["@odata.deltaLink"]).json()
    assert [row["fullname"] for row in delta["value"]] == ["After"]


@pytest.mark.protocol("metadata: relationships", "D")
@pytest.mark.protocol("metadata: keys", "D")
def test_what_metadata_says_of_contacts(dataverse: httpx.Client) -> None:
    contact = "EntityDefinitions(LogicalName='contact')"
    table = dataverse.get(f"{contact}?$select=EntitySetName,ObjectTypeCode,PrimaryNameAttribute").json()
    assert (table["EntitySetName"], table["ObjectTypeCode"]) == ("contacts", 2)
    assert table["PrimaryNameAttribute"] == "fullname"
    column = dataverse.get(f"{contact}/Attributes(LogicalName='fullname')").json()
    assert (column["IsValidForCreate"], column["IsValidForUpdate"]) == (False, False)
    parent = dataverse.get(f"{contact}/Attributes(LogicalName='parentcustomerid')").json()
    assert parent["AttributeType"] == "Customer"
    links = dataverse.get(f"{contact}/ManyToOneRelationships").json()["value"]
    said = {
        (link["SchemaName"], link["ReferencedEntity"], link["ReferencingEntityNavigationPropertyName"])
        for link in links
        if link["ReferencingAttribute"] == "parentcustomerid"
    }
    assert said == {
        ("contact_customer_accounts", "account", "parentcustomerid_account"),
        ("contact_customer_contacts", "contact", "parentcustomerid_contact"),
    }
    keys = dataverse.get("EntityDefinitions(LogicalName='account')/Keys").json()["value"]
    assert {tuple(key["KeyAttributes"]): key["EntityKeyIndexStatus"] for key in keys} == {
        ("accountnumber", "msdyn_company"): "Active",
        ("accountnumber",): "Active",
    }
    text = dataverse.get("$metadata").text
    for name in ("account_primary_contact", "contact_customer_accounts", "primarycontactid"):
        assert f'<NavigationProperty Name="{name}"' in text


@pytest.mark.protocol("write: upsert", "D")
@pytest.mark.protocol("write: insert only", "D")
@pytest.mark.protocol("write: alternate key", "D")
def test_accounts_by_their_number_alone(dataverse: httpx.Client) -> None:
    key = "accounts(accountnumber='A''B')"
    headers = {"Prefer": "return=representation"}
    created = dataverse.patch(key, json={"name": "one"}, headers=headers)
    changed = dataverse.patch(key.lower(), json={"name": "two", "accountnumber": "ignored"}, headers=headers)
    assert (created.status_code, changed.status_code) == (201, 200)
    row = dataverse.get(key).json()
    assert (row["name"], row["accountnumber"]) == ("two", "A'B")
    assert row["accountid"] == created.json()["accountid"]
    only_insert = dataverse.patch(key, json={"name": "x"}, headers={"If-None-Match": "*"})
    assert refusal(only_insert) == (412, "0x80040237")
    only_update = {"If-Match": "*"}
    missing = dataverse.patch("accounts(accountnumber='none')", json={"name": "x"}, headers=only_update)
    assert refusal(missing) == (404, "0x80060891")
    fresh = {"If-Match": row["@odata.etag"]}
    assert dataverse.patch(key, json={"name": "three"}, headers=fresh).status_code == 204
    assert refusal(dataverse.patch(key, json={"name": "x"}, headers=fresh)) == (412, "0x80060882")
    again = dataverse.post("accounts", json={"accountnumber": "a'b", "name": "again"})
    assert refusal(again) == (412, "0x80040237")
    child = made(dataverse, "accounts", name="child", **{"parentaccountid@odata.bind": f"/{key}"})
    assert dataverse.get(child).json()["_parentaccountid_value"] == row["accountid"]
    assert dataverse.delete(key).status_code == 204
    assert refusal(dataverse.get(key)) == (404, "0x80060891")


@pytest.mark.protocol("write: alternate key", "?")
def test_companies_may_share_an_account_number(dataverse: httpx.Client, companies: tuple[str, str]) -> None:
    """The account without a company has the number to itself; else it must be the only one."""
    key = "accounts(accountnumber='100')"
    one, two = (
        {"accountnumber": "100", "name": name, "msdyn_company@odata.bind": place}
        for name, place in zip(("one", "two"), companies, strict=True)
    )
    made(dataverse, "accounts", **one)
    assert dataverse.get(key).json()["name"] == "one"
    made(dataverse, "accounts", **two)
    for ambiguous in (
        dataverse.get(key),
        dataverse.patch(key, json={"name": "x"}),
        dataverse.delete(key),
        dataverse.post("accounts", json={"name": "x", "parentaccountid@odata.bind": f"/{key}"}),
    ):
        assert refusal(ambiguous) == (400, "0x8006089d")
    both = "accounts(accountnumber='100',_msdyn_company_value={})"
    assert [dataverse.get(both.format(place[-37:-1])).json()["name"] for place in companies] == ["one", "two"]
    bare = made(dataverse, "accounts", accountnumber="100", name="bare")
    assert dataverse.get(key).json()["name"] == "bare"
    # A row that names its company no longer takes part in the short key.
    place = {"msdyn_company@odata.bind": companies[0]}
    assert refusal(dataverse.patch(bare, json=place)) == (412, "0x80040237")


@pytest.mark.protocol("bulk: UpsertMultiple", "D")
@pytest.mark.protocol("bulk: duplicate key", "L")
@pytest.mark.protocol("bulk: key in body", "L")
def test_many_accounts_by_their_number_alone(dataverse: httpx.Client, companies: tuple[str, str]) -> None:
    message = "accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
    company = made(
        dataverse,
        "accounts",
        accountnumber="1",
        name="old",
        **{"msdyn_company@odata.bind": companies[0]},
    )

    def targets(*numbers: int, **values: object) -> dict[str, object]:
        rows = [ACCOUNT | {"@odata.id": f"accounts(accountnumber='{each}')"} | values for each in numbers]
        return {"Targets": rows}

    for name in ("first", "second"):
        assert dataverse.post(message, json=targets(1, 2, 3, name=name)).status_code == 204
        assert names(dataverse, "accounts?$select=name") == [name] * 3
    assert dataverse.get(company).json()["name"] == "second"
    twice = dataverse.post(message, json=targets(4, 4, name="x"))
    assert twice.json()["error"]["message"] == "Cannot insert duplicate key."
    in_body = dataverse.post(message, json=targets(5, accountnumber="5", name="x"))
    assert refusal(in_body) == (400, "0x80040216")
    assert names(dataverse, "accounts?$select=name") == ["second"] * 3
