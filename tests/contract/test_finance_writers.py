"""Many writers at once in Finance: each write whole, none lost, none waiting for ever (protocol 2.1)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.conftest import REQUEST_SECONDS, TOKEN
from tests.contract.process import Sandbox
from tests.contract.test_finance_batch import changeset, contract, operation, send, statuses

WRITERS = 8
CONTRACTS = "/data/ProjectContractHeaders"


@pytest.fixture
def together(sandbox: Sandbox, finance: httpx.Client) -> Callable[..., list[httpx.Response]]:
    """Do something as eight clients at the same time, each with its number; a company is there."""
    assert finance.post("/data/LegalEntities", json={"LegalEntityId": "USPM"}).status_code == 201

    def act(action: Callable[[httpx.Client, int], list[httpx.Response]]) -> list[httpx.Response]:
        def one(number: int) -> list[httpx.Response]:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(base_url=sandbox.finance, headers=headers, timeout=REQUEST_SECONDS) as client:
                return action(client, number)

        with ThreadPoolExecutor(WRITERS) as pool:
            return [answer for answers in pool.map(one, range(WRITERS)) for answer in answers]

    return act


def address(number: str) -> str:
    return f"{CONTRACTS}(dataAreaId='uspm',ProjectContractId='{number}')"


@pytest.mark.protocol("finance: no upsert", "L")
def test_one_of_many_creates_the_row(
    finance: httpx.Client, together: Callable[..., list[httpx.Response]]
) -> None:
    body = {"dataAreaId": "USPM", "ProjectContractId": "C1"}
    answers = together(lambda client, number: [client.post(CONTRACTS, json=body)])
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * (WRITERS - 1)
    assert all("already exists" in answer.text for answer in answers if answer.status_code == 400)
    assert finance.get(f"{CONTRACTS}/$count").text == "1"


@pytest.mark.protocol("finance: etag", "?")
def test_one_of_many_changes_the_version_that_all_have_read(
    finance: httpx.Client, together: Callable[..., list[httpx.Response]]
) -> None:
    made = finance.post(CONTRACTS, json={"dataAreaId": "USPM", "ProjectContractId": "C1"})
    condition = {"If-Match": made.headers["etag"]}

    def change(client: httpx.Client, number: int) -> list[httpx.Response]:
        body = {"CustomersOrderReference": str(number)}
        return [client.patch(address("C1"), json=body, headers=condition)]

    answers = together(change)
    assert sorted(answer.status_code for answer in answers) == [204] + [412] * (WRITERS - 1)
    winner = [answer.status_code for answer in answers].index(204)
    assert finance.get(address("C1")).json()["CustomersOrderReference"] == str(winner)


@pytest.mark.protocol("finance: batch", "D")
def test_changesets_that_cross_each_other_end(
    finance: httpx.Client, together: Callable[..., list[httpx.Response]]
) -> None:
    """Half of them write A then B, the others B then A: all succeed, and both rows are of one writer."""
    assert statuses(send(finance, changeset(contract("A"), contract("B")))) == [201, 201]

    def write(client: httpx.Client, number: int) -> list[httpx.Response]:
        rows = ("A", "B") if number % 2 else ("B", "A")
        body = {"CustomersOrderReference": str(number)}
        parts = [operation("PATCH", address(row), body) for row in rows]
        return [send(client, changeset(*parts)) for _ in range(3)]

    for answer in together(write):
        assert statuses(answer) == [204, 204]
    held = [finance.get(address(row)).json()["CustomersOrderReference"] for row in ("A", "B")]
    assert held[0] == held[1]


@pytest.mark.protocol("finance: batch", "D")
def test_readers_see_all_of_a_changeset_or_nothing(
    finance: httpx.Client, together: Callable[..., list[httpx.Response]]
) -> None:
    def act(client: httpx.Client, number: int) -> list[httpx.Response]:
        if number % 2:
            return [client.get(f"{CONTRACTS}?$select=ProjectContractId") for _ in range(10)]
        rows = [contract(f"{number}-{row}") for row in range(10)]
        assert statuses(send(client, changeset(*rows))) == [201] * 10
        return []

    for answer in together(act):
        assert len(answer.json()["value"]) % 10 == 0
    assert finance.get(f"{CONTRACTS}/$count").text == str(10 * WRITERS // 2)
