"""$filter: operators, query functions, lambdas, aliases, paths, wildcards, nulls, refusals (protocol 1.3)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

NAMES = ["Alpha", "alphabet", "Beta 100%", "Beta 1000", "Öberg", "öl", "O'Brien", None, "a_c", "abc"]
CRM = "Microsoft.Dynamics.CRM."
NOW = "2026-10-31T12:00:00Z"  # a Saturday
MOMENTS = {
    "a": "2025-12-31T23:59:59Z",
    "b": "2026-01-01T00:00:00Z",
    "c": "2026-09-30T12:00:00Z",
    "d": "2026-10-10T12:00:00Z",
    "e": "2026-10-18T00:00:00Z",
    "f": "2026-10-25T00:00:00Z",
    "g": "2026-10-30T23:59:59Z",
    "h": "2026-10-31T10:00:00Z",
    "i": "2026-10-31T14:00:00Z",
    "j": "2026-11-01T00:00:00Z",
    "k": "2026-11-07T23:59:59Z",
    "l": "2026-11-30T12:00:00Z",
    "m": "2027-02-01T00:00:00Z",
}

Find = Callable[..., list[Any]]


def create(client: httpx.Client, entity_set: str, **row: Any) -> str:
    answer = client.post(entity_set, json={name.replace("__", "@odata."): row[name] for name in row})
    assert answer.status_code == 204, answer.text
    return answer.headers["OData-EntityId"]


@pytest.fixture
def find(dataverse: httpx.Client) -> Find:
    """Names of the accounts that a filter finds, in order."""

    def ask(condition: str, **aliases: str) -> list[Any]:
        options = {"$select": "name", "$filter": condition, "$orderby": "name"}
        options |= {f"@{name}": value for name, value in aliases.items()}
        answer = dataverse.get("accounts", params=options)
        assert answer.status_code == 200, (condition, answer.text)
        return [row["name"] for row in answer.json()["value"]]

    return ask


@pytest.fixture
def accounts(dataverse: httpx.Client) -> None:
    for number, name in enumerate(NAMES):
        create(dataverse, "accounts", accountnumber=f"A{number}", creditlimit=number, name=name)


@pytest.fixture
def family(dataverse: httpx.Client) -> dict[str, str]:
    """GUIDs of accounts by name: top above left and right, leaf below left; alone has no company."""
    company = create(dataverse, "cdm_companies", cdm_companycode="USPM", cdm_name="US")
    places: dict[str, str] = {}
    for name, parent in (("top", ""), ("left", "top"), ("right", "top"), ("leaf", "left"), ("alone", "")):
        row = {"name": name, "accountnumber": name if name != "left" else "other"}
        row |= {"parentaccountid__bind": places[parent]} if parent else {}
        row |= {"msdyn_company__bind": company} if name != "alone" else {}
        places[name] = create(dataverse, "accounts", **row)
    return {name: place[-37:-1] for name, place in places.items()}


@pytest.mark.protocol("query: filter operators", "D")
@pytest.mark.protocol("query: strings", "D")
@pytest.mark.protocol("query: null", "D")
def test_operators_strings_and_nulls(find: Find, accounts: None) -> None:
    expected = {
        "name eq 'ALPHA'": ["Alpha"],
        "name eq 'öBERG'": ["Öberg"],
        "name eq 'O''Brien'": ["O'Brien"],
        "contains(name,'ALPHA')": ["Alpha", "alphabet"],
        "startswith(name,'ö')": ["Öberg", "öl"],
        "endswith(name,'100%')": ["Beta 100%", "Beta 1000"],
        "endswith(name,'100[%]')": ["Beta 100%"],
        "name eq 'a_c'": ["a_c", "abc"],
        "name eq 'a[_]c'": ["a_c"],
        "name eq 'a[a-c]c'": ["abc"],
        "name eq 'a[^a-c]c'": ["a_c"],
        "name eq '%pha%'": ["Alpha", "alphabet"],
        "name ne '%a%'": ["O'Brien", "Öberg", "öl"],
        "name eq null": [None],
        "name ne null and creditlimit lt 1": ["Alpha"],
        "name ne 'Alpha' and startswith(name,'a')": ["a_c", "abc", "alphabet"],
        "not contains(name,'a') and creditlimit ge 4": ["O'Brien", "Öberg", "öl"],
        "not (creditlimit le 7 or name eq 'abc')": ["a_c"],
        "creditlimit gt 2.5 and creditlimit lt 4": ["Beta 1000"],
        "name gt 'alphabet' and name le 'beta 1000'": ["Beta 100%", "Beta 1000"],
        "createdon gt 2020-01-01 and creditlimit eq 9": ["abc"],
        "statecode eq 0 and donotemail eq false and creditlimit eq 0": ["Alpha"],
    }
    assert {condition: find(condition) for condition in expected} == expected


@pytest.mark.protocol("query: null", "D")
@pytest.mark.protocol("query: filter operators", "?")
def test_ne_leaves_out_nulls_and_in_is_taken(find: Find, accounts: None) -> None:
    assert None not in find("name ne 'x'")
    assert None not in find("not (name eq 'x')")
    assert find("name in ('Alpha','öl')") == ["Alpha", "öl"]


@pytest.mark.protocol("query: filter operators", "D")
@pytest.mark.protocol("query: filter navigation", "D")
def test_column_with_column_and_paths(find: Find, family: dict[str, str]) -> None:
    assert find("name eq accountnumber and name ne 'alone'") == ["leaf", "right", "top"]
    assert find("name ne accountnumber") == ["left"]
    assert find("parentaccountid/name eq 'TOP'") == ["left", "right"]
    assert find("parentaccountid/parentaccountid/name eq 'top'") == ["leaf"]
    assert find("parentaccountid/name eq null and msdyn_company/cdm_companycode eq 'uspm'") == ["top"]
    assert find(f"_parentaccountid_value eq {family['left']}") == ["leaf"]
    assert find(f"_parentaccountid_value eq '{family['left'].upper()}'") == ["leaf"]


@pytest.mark.protocol("query: filter lambda", "D")
def test_lambdas(dataverse: httpx.Client, find: Find, family: dict[str, str]) -> None:
    children = "account_account_parentaccountid"
    assert find(f"{children}/any()") == ["left", "top"]
    assert find(f"not {children}/any()") == ["alone", "leaf", "right"]
    assert find(f"{children}/any(c:c/name eq 'leaf')") == ["left"]
    assert find(f"{children}/any(c:c/{children}/any(d:d/name eq 'leaf' and c/name eq 'left'))") == ["top"]
    assert find(f"{children}/any() and {children}/all(c:contains(c/name,'l'))") == ["left"]
    assert find(f"{children}/any(c:c/msdyn_company/cdm_companycode eq 'USPM') and name eq 'top'") == ["top"]
    companies = (
        f"cdm_companies?$filter=cdm_company_account_msdyn_company/any(a:a/{children}/all(c:c/name ne 'leaf'))"
    )
    assert len(dataverse.get(companies).json()["value"]) == 1
    behind = dataverse.get(f"accounts?$filter=parentaccountid/{children}/any(c:c/name eq 'x')")
    assert behind.status_code == 400


@pytest.mark.protocol("query: filter aliases", "D")
def test_aliases(find: Find, accounts: None) -> None:
    assert find("name eq @p1", p1="'alpha'") == ["Alpha"]
    assert find("contains(name,@p1) and creditlimit gt @p2", p1="'a'", p2="7") == ["a_c", "abc"]
    assert find("createdon gt @day and creditlimit eq @n", day="2020-01-01T00:00:00Z", n="0") == ["Alpha"]
    assert find("name eq @missing") == [None]
    listed = f"{CRM}In(PropertyName=@p1,PropertyValues=@p2)"
    assert find(listed, p1="'name'", p2='["Alpha","O\'Brien"]') == ["Alpha", "O'Brien"]


@pytest.mark.protocol("query: filter functions", "D")
def test_functions_of_values(find: Find, accounts: None) -> None:
    expected = {
        "In(PropertyName='accountnumber',PropertyValues=['A0','a4'])": ["Alpha", "Öberg"],
        'In(PropertyName=\'creditlimit\',PropertyValues=["0","4.0"])': ["Alpha", "Öberg"],
        'Between(PropertyName=\'creditlimit\',PropertyValues=["2","3"])': ["Beta 100%", "Beta 1000"],
        'NotBetween(PropertyName=\'creditlimit\',PropertyValues=["1","8"])': ["abc", "Alpha"],
        "BeginsWith(PropertyName='name',PropertyValue='al')": ["Alpha", "alphabet"],
        "EndsWith(PropertyName='name',PropertyValue='C')": ["a_c", "abc"],
    }
    assert {call: find(CRM + call) for call in expected} == expected
    without = f"{CRM}NotIn(PropertyName='name',PropertyValues=['Alpha','alphabet'])"
    assert find(without) == [name for name in find("name ne null") if not name.lower().startswith("alpha")]
    assert find(f"not {CRM}DoesNotBeginWith(PropertyName='name',PropertyValue='öl')") == ["öl"]


@pytest.mark.protocol("query: filter functions", "D")
def test_functions_of_the_calendar(dataverse: httpx.Client, control: httpx.Client, find: Find) -> None:
    """Every function of dates that the documentation lists, with the user's zone and fiscal year of [?]."""
    assert control.put("/sandbox/clock", json={"now": NOW}).is_success
    for name, moment in MOMENTS.items():
        create(dataverse, "accounts", name=name, lastusedincampaign=moment)
    create(dataverse, "accounts", name="z")
    column = "'lastusedincampaign'"
    expected = {
        "Yesterday": "g", "Today": "hi", "Tomorrow": "j",
        "LastWeek": "e", "ThisWeek": "fghi", "NextWeek": "jk",
        "LastMonth": "c", "ThisMonth": "defghi", "NextMonth": "jkl",
        "LastYear": "a", "ThisYear": "bcdefghijkl", "NextYear": "m",
        "Last7Days": "fghi", "Next7Days": "ijk",
        "LastXHours 3": "h", "LastXDays 1": "gh", "LastXWeeks 2": "efgh", "LastXMonths 1": "cdefgh",
        "LastXYears 1": "abcdefgh",
        "NextXHours 3": "i", "NextXDays 1": "ij", "NextXWeeks 1": "ijk", "NextXMonths 1": "ijkl",
        "NextXYears 1": "ijklm",
        "OlderThanXMinutes 60": "abcdefgh", "OlderThanXHours 3": "abcdefg", "OlderThanXDays 1": "abcdef",
        "OlderThanXWeeks 1": "abcde", "OlderThanXMonths 1": "ab", "OlderThanXYears 1": "",
        "LastFiscalPeriod": "c", "ThisFiscalPeriod": "defghijkl", "NextFiscalPeriod": "m",
        "LastFiscalYear": "a", "ThisFiscalYear": "bcdefghijkl", "NextFiscalYear": "m",
        "LastXFiscalPeriods 1": "cdefgh", "LastXFiscalYears 1": "abcdefgh",
        "NextXFiscalPeriods 1": "ijklm", "NextXFiscalYears 1": "ijklm",
        "InFiscalPeriod 4": "adefghijkl", "InFiscalYear 2026": "bcdefghijkl",
        "InFiscalPeriodAndYear 3,2026": "c", "InOrAfterFiscalPeriodAndYear 4,2026": "defghijklm",
        "InOrBeforeFiscalPeriodAndYear 1,2026": "ab",
        "On '2026-10-31'": "hi", "NotOn '2026-10-31'": "abcdefgjklm",
        "OnOrAfter '2026-11-07'": "klm", "OnOrBefore '2026-01-01'": "ab",
    }  # fmt: skip
    assert {call: "".join(find(spelled(call), column=column)) for call in expected} == expected


def spelled(call: str) -> str:
    name, _, values = call.partition(" ")
    parts = values.split(",") if values else []
    numbered = [
        f"PropertyValue{number if len(parts) > 1 else ''}={part}" for number, part in enumerate(parts, 1)
    ]
    return f"{CRM}{name}({','.join([f'PropertyName={chr(39)}lastusedincampaign{chr(39)}', *numbered])})"


@pytest.mark.protocol("query: filter functions", "D")
def test_functions_of_days_without_a_time(dataverse: httpx.Client, control: httpx.Client) -> None:
    assert control.put("/sandbox/clock", json={"now": NOW}).is_success
    for day in ("2026-10-30", "2026-10-31", "2026-11-01"):
        create(dataverse, "pricelevels", name=day, begindate=day)
    expected = {
        "Today(PropertyName='begindate')": ["2026-10-31"],
        "LastXDays(PropertyName='begindate',PropertyValue=1)": ["2026-10-30", "2026-10-31"],
        "NextXDays(PropertyName='begindate',PropertyValue='1')": ["2026-11-01"],
        "On(PropertyName='begindate',PropertyValue='2026-11-01')": ["2026-11-01"],
        "InFiscalPeriod(PropertyName='begindate',PropertyValue=1)": [],
    }
    for call, days in expected.items():
        found = dataverse.get("pricelevels", params={"$filter": CRM + call, "$orderby": "name"}).json()[
            "value"
        ]
        assert [row["name"] for row in found] == days, call


@pytest.mark.protocol("query: filter functions", "D")
def test_functions_of_hierarchies(find: Find, family: dict[str, str]) -> None:
    def called(name: str, of: str, column: str = "accountid") -> list[Any]:
        return find(f"{CRM}{name}(PropertyName='{column}',PropertyValue='{family[of]}')")

    assert called("Under", "top") == ["leaf", "left", "right"]
    assert called("UnderOrEqual", "left") == ["leaf", "left"]
    assert called("NotUnder", "top") == ["alone", "top"]
    assert called("Above", "leaf") == ["left", "top"]
    assert called("AboveOrEqual", "left") == ["left", "top"]
    assert called("Under", "top", "parentaccountid") == ["leaf"]
    both = " or ".join(
        f"{CRM}{name}(PropertyName='accountid',PropertyValue={family[of]})"
        for name, of in (("Above", "right"), ("Under", "left"))
    )
    assert find(both) == ["leaf", "top"]


@pytest.mark.protocol("query: filter functions", "D")
def test_functions_of_the_caller(dataverse: httpx.Client, find: Find, accounts: None) -> None:
    assert len(find(f"{CRM}EqualUserId(PropertyName='createdby')")) == len(NAMES)
    assert len(find(f"{CRM}EqualUserOrUserTeams(PropertyName='ownerid')")) == len(NAMES)
    assert len(find(f"{CRM}EqualBusinessId(PropertyName='owningbusinessunit')")) == len(NAMES)
    assert find(f"{CRM}NotEqualUserId(PropertyName='_createdby_value')") == []
    assert find(f"{CRM}EqualUserTeams(PropertyName='ownerid')") == []
    me = dataverse.get("WhoAmI").json()["UserId"]
    assert len(find(f"_createdby_value eq {me}")) == len(NAMES)


@pytest.mark.protocol("query: filter functions", "D")
def test_refused_functions(dataverse: httpx.Client) -> None:
    expected = {
        "Nope(PropertyName='name')": f"An unknown function with name '{CRM}Nope' was found.",
        "Contains(PropertyName='name',PropertyValue='x')": "full-text indexing",
        "In(PropertyValues=['a'])": "needs the parameter 'PropertyName'",
        "Today(PropertyName='nonsense')": "Could not find a property named 'nonsense'",
        "Today(PropertyName='name')": "takes dates and time stamps",
        "LastXDays(PropertyName='createdon')": "needs a whole number above zero",
        "LastXDays(PropertyName='createdon',PropertyValue=0)": "needs a whole number above zero",
        "LastXYears(PropertyName='createdon',PropertyValue=9999)": "leads out of the years",
        "InFiscalPeriod(PropertyName='createdon',PropertyValue=5)": "of 4 at most",
        "Between(PropertyName='creditlimit',PropertyValues=['1'])": "needs 2 value(s)",
        "In(PropertyName='creditlimit',PropertyValues=['x'])": "Unrecognized 'Edm.Decimal' literal 'x'.",
        "Under(PropertyName='name',PropertyValue='x')": "takes a primary id",
        "ContainValues(PropertyName='name',PropertyValues=['1'])": "takes choices columns",
        "EqualUserId(PropertyName='creditlimit')": "takes properties of type 'Edm.Guid'",
    }
    for call, message in expected.items():
        answer = dataverse.get("accounts", params={"$filter": CRM + call})
        assert answer.status_code == 400, call
        assert message in answer.json()["error"]["message"], (call, answer.text)


@pytest.mark.protocol("query: filter operators", "D")
@pytest.mark.protocol("query: strings", "D")
def test_errors_name_the_position(dataverse: httpx.Client) -> None:
    account = "type 'Microsoft.Dynamics.CRM.account'"
    expected = {
        "name eq 'O'Bryan'": "There is an unterminated literal at position 17 in 'name eq 'O'Bryan''.",
        "name eq 'x": "There is an unterminated literal at position 10 in 'name eq 'x'.",
        "name eq": "Syntax error at position 4 in 'name eq'.",
        "name == 'x'": "Syntax error at position 4",
        "nam eq 'x'": f"Could not find a property named 'nam' on {account}.",
        "Parentaccountid/name eq 'x'": f"Could not find a property named 'Parentaccountid' on {account}.",
        "name eq 5": "incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32'",
        "creditlimit add 1 eq 2": "Arithmetic is not supported",
        "name has 'x'": "The operator 'has' is not supported",
        "tolower(name) eq 'x'": "The function 'tolower' is not supported",
        "name": "must evaluate to a single boolean value",
        " or ".join(["name eq 'x'"] * 501): "Number of conditions in query exceeded maximum limit of 500.",
        "parentaccountid/" * 10 + "name eq 'x'": "is longer than 10 steps",
    }
    for condition, message in expected.items():
        answer = dataverse.get("accounts", params={"$filter": condition})
        assert answer.status_code == 400, condition
        assert message in answer.json()["error"]["message"], (condition, answer.text)
