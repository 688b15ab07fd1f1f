"""`$expand`, and the addresses below a row, over HTTP (protocol 2.1)."""

from typing import Any

import httpx
import pytest

PROJECT = "/data/ProjectsV2(dataAreaId='uspm',ProjectId='P1')"
CONTRACT = "/data/ProjectContractHeaders(dataAreaId='uspm',ProjectContractId='C1')"


@pytest.fixture
def project(finance: httpx.Client) -> None:
    """In two companies: contract C1 with project P1 and two tasks; in USPM also project P2 of no contract."""
    for company in ("USPM", "GBPM"):
        made = [finance.post("/data/LegalEntities", json={"LegalEntityId": company})]
        rows: list[tuple[str, dict[str, Any]]] = [
            ("ProjectContractHeaders", {"ProjectContractId": "C1", "Name": f"Contract {company}"}),
            ("ProjectsV2", {"ProjectId": "P1", "ProjectContractId": "c1", "ProjectName": f"One {company}"}),
            ("ProjectsV2", {"ProjectId": "P2", "ParentProjectId": "P1"}),
            ("ProjectTasks", {"ProjectId": "P1", "TaskId": "T1", "TaskName": "first"}),
            ("ProjectTasks", {"ProjectId": "P1", "TaskId": "T2"}),
        ]
        made += [finance.post(f"/data/{name}", json={"dataAreaId": company, **row}) for name, row in rows]
        assert [answer.status_code for answer in made] == [201] * 6, made[-1].text


def refusal(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["innererror"]["message"])


@pytest.mark.protocol("finance: options", "L?")
@pytest.mark.usefixtures("project")
def test_expand_brings_rows_of_the_same_company_one_level_deep(finance: httpx.Client) -> None:
    """[L]: the context URL; the names of navigation properties are ours [?]."""
    options = {"$select": "ProjectId", "$expand": "ProjectTasks($select=TaskId),ProjectContractHeader"}
    answer = finance.get("/data/ProjectsV2", params=options).json()
    context = answer["@odata.context"].partition("#")[2]
    assert context == "ProjectsV2(ProjectId,ProjectTasks(TaskId),ProjectContractHeader)"
    one, two = answer["value"]
    tasks = [{name: task[name] for name in task if name != "@odata.etag"} for task in one["ProjectTasks"]]
    assert tasks == [{"TaskId": "T1"}, {"TaskId": "T2"}]
    assert one["ProjectTasks"][0]["@odata.etag"].startswith('W/"')
    assert one["ProjectContractHeader"]["Name"] == "Contract USPM"
    assert (two["ProjectTasks"], two["ProjectContractHeader"]) == ([], None)
    single = finance.get(
        PROJECT, params={"$expand": "ProjectTasks,ChildProjectsV2($select=ProjectId)"}
    ).json()
    assert [task["TaskName"] for task in single["ProjectTasks"]] == ["first", ""]
    assert [row["ProjectId"] for row in single["ChildProjectsV2"]] == ["P2"]
    every = finance.get("/data/ProjectTasks?$expand=*&cross-company=true&$filter=TaskId eq 'T1'").json()[
        "value"
    ]
    assert [row["ProjectV2"]["ProjectName"] for row in every] == ["One USPM", "One GBPM"]


@pytest.mark.protocol("finance: options", "D")
@pytest.mark.usefixtures("project")
def test_expand_takes_one_level_and_a_select(finance: httpx.Client) -> None:
    for expand, message in [
        ("Nope", "Could not find a property named 'Nope'"),
        ("ProjectName", "Could not find a property named 'ProjectName'"),
        ("ProjectTasks($expand=ProjectV2)", "too deep"),
        ("ProjectContractHeader/ProjectsV2", "too deep"),
        ("ProjectTasks($filter=TaskId eq 'T1')", "'$filter' is not supported inside of $expand"),
        ("ProjectTasks($top=1)", "'$top' is not supported inside of $expand"),
        ("ProjectTasks($select=Nope)", "Could not find a property named 'Nope'"),
        ("ProjectTasks(", "position"),
    ]:
        assert message in refusal(finance.get("/data/ProjectsV2", params={"$expand": expand})), expand


@pytest.mark.protocol("finance: options", "L")
@pytest.mark.usefixtures("project")
def test_a_funding_source_leads_to_a_customer_only_where_it_has_one(finance: httpx.Client) -> None:
    customer = {"dataAreaId": "USPM", "CustomerAccount": "K1"}
    assert finance.post("/data/CustomersV3", json=customer).status_code == 201
    for name, kind in (("F1", "Customer"), ("F2", "Grant")):
        source = {"dataAreaId": "USPM", "ProjectContractID": "C1", "CustomerOrOrganization": "K1"}
        made = finance.post(
            "/data/ProjectFundingSources", json={**source, "FundingSourceId": name, "FundingType": kind}
        )
        assert made.status_code == 201, made.text
    rows = finance.get("/data/ProjectFundingSources?$expand=CustomerV3($select=CustomerAccount)").json()[
        "value"
    ]
    assert [row["CustomerV3"] and row["CustomerV3"]["CustomerAccount"] for row in rows] == ["K1", None]
    [owner] = finance.get("/data/CustomersV3?$expand=ProjectFundingSources").json()["value"]
    assert [row["FundingSourceId"] for row in owner["ProjectFundingSources"]] == ["F1"]


@pytest.mark.protocol("finance: key", "D?")
@pytest.mark.usefixtures("project")
def test_properties_of_a_row_have_addresses(finance: httpx.Client) -> None:
    """[D odata, Addressing]; the context URL and `$value` are those of OData [?]."""
    answer = finance.get(f"{PROJECT}/ProjectName").json()
    assert answer["value"] == "One USPM"
    assert answer["@odata.context"].endswith("#ProjectsV2(dataAreaId='uspm',ProjectId='P1')/ProjectName")
    text = finance.get(f"{PROJECT}/ProjectName/$value")
    assert (text.text, text.headers["content-type"].partition(";")[0]) == ("One USPM", "text/plain")
    assert finance.get(f"{PROJECT}/dataAreaId").json()["value"] == "uspm"
    assert finance.get(f"{PROJECT}/ZakatProjectValue/$value").text == "0"
    assert finance.get(f"{PROJECT}/IsHeader/$value").text == "No"
    missing = finance.get("/data/ProjectsV2(dataAreaId='uspm',ProjectId='no')/ProjectName")
    assert missing.status_code == 404
    assert finance.put(f"{PROJECT}/ProjectName", json={"value": "x"}).status_code == 404


@pytest.mark.protocol("finance: key", "D?")
@pytest.mark.usefixtures("project")
def test_rows_that_a_row_leads_to_have_addresses(finance: httpx.Client) -> None:
    """[D odata, Addressing]; `$count`, `$ref` and 204 for nothing are those of OData [?]."""
    tasks = finance.get(
        f"{PROJECT}/ProjectTasks", params={"$select": "TaskId", "$orderby": "TaskId desc"}
    ).json()
    assert [row["TaskId"] for row in tasks["value"]] == ["T2", "T1"]
    assert finance.get(f"{PROJECT}/ProjectTasks/$count").text == "2"
    where = {"$filter": "TaskName eq 'first'"}
    assert finance.get(f"{PROJECT}/ProjectTasks/$count", params=where).text == "1"
    header = finance.get(f"{PROJECT}/ProjectContractHeader").json()
    assert header["@odata.context"].endswith("#ProjectContractHeaders/$entity")
    assert header["Name"] == "Contract USPM"
    links = finance.get(f"{PROJECT}/ProjectTasks/$ref").json()["value"]
    assert [finance.get(link["@odata.id"]).json()["TaskId"] for link in links] == ["T1", "T2"]
    parent = "/data/ProjectsV2(dataAreaId='uspm',ProjectId='P2')"
    link = finance.get(f"{parent}/ParentProject/$ref").json()["@odata.id"]
    assert finance.get(link).json()["ProjectId"] == "P1"
    assert finance.get(f"{parent}/ProjectContractHeader").status_code == 204
    other = PROJECT.replace("uspm", "gbpm")
    assert finance.get(f"{other}/ProjectTasks").status_code == 404
    found = finance.get(f"{other}/ProjectTasks?cross-company=true").json()["value"]
    assert [row["dataAreaId"] for row in found] == ["gbpm", "gbpm"]


@pytest.mark.protocol("finance: page", "L?")
@pytest.mark.usefixtures("project")
def test_pages_of_what_a_row_leads_to(finance: httpx.Client) -> None:
    page = finance.get(f"{CONTRACT}/ProjectsV2", headers={"Prefer": "odata.maxpagesize=1"})
    assert "@odata.nextLink" not in page.json()
    page = finance.get(f"{PROJECT}/ProjectTasks?$select=TaskId", headers={"Prefer": "odata.maxpagesize=1"})
    assert page.headers["preference-applied"] == "odata.maxpagesize=1"
    rest = finance.get(page.json()["@odata.nextLink"]).json()
    assert [row["TaskId"] for row in rest["value"]] == ["T2"]
