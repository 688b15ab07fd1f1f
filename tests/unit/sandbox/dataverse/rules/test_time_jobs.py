"""The jobs of time and contracts as the control plane runs them, each in a transaction of its own."""

from decimal import Decimal

import pytest

from sandbox.dataverse.api import open_api
from sandbox.dataverse.desk import Desk
from sandbox.rules.jobs import Job, JobRefusedError
from sandbox.store import Store
from tests.unit.sandbox.dataverse.rules.conftest import open_firm

NOBODY = "99999999-0000-0000-0000-000000000000"


@pytest.fixture
def entry(sandbox_store: Store) -> str:
    """Eight hours on a line of time and material, committed."""
    with sandbox_store.write() as unit:
        firm = open_firm(Desk(unit, open_api(sandbox_store).writer))
        return firm.time_entry(firm.project("P1", firm.contract("C1")))


def balance(store: Store) -> Decimal:
    with store.write() as unit:
        rows = Desk(unit, open_api(store).writer).find("msdyn_actual")
    return sum((row["msdyn_amount"] for row in rows), Decimal(0))


def test_time_goes_from_draft_to_approval_and_back(
    sandbox_store: Store, jobs: dict[str, Job], entry: str
) -> None:
    assert jobs["submit-time"]({}) == {"submitted": 1, "errors": []}
    assert jobs["submit-time"]({}) == {"submitted": 0, "errors": []}
    assert jobs["approve-time"]({"billable_quantity": 10}) == {"approved": 1, "errors": []}
    assert balance(sandbox_store) == Decimal(2800)
    assert jobs["cancel-approval"]({"entries": [entry]}) == {"canceled": 1, "errors": []}
    assert balance(sandbox_store) == 0


@pytest.mark.parametrize("name", ["submit-time", "approve-time", "cancel-approval"])
def test_a_job_names_the_entry_that_does_not_exist(jobs: dict[str, Job], name: str) -> None:
    with pytest.raises(JobRefusedError, match=f"no msdyn_timeentry with the id {NOBODY}"):
        jobs[name]({"entries": [NOBODY]})


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("confirm-contract", {}, "needs the parameter 'contract'"),
        ("link-project", {"project": NOBODY}, "no msdyn_project with the id"),
        ("submit-time", {"cost_price": "much"}, "'cost_price' has to be a number, not 'much'"),
        ("approve-time", {"billable_quantity": []}, r"'billable_quantity' has to be a number, not \[\]"),
        ("approve-time", {"entries": NOBODY}, "'entries' has to be a list of ids"),
    ],
)
def test_wrong_parameters_are_refused(
    jobs: dict[str, Job], name: str, parameters: dict[str, object], sentence: str
) -> None:
    with pytest.raises(JobRefusedError, match=sentence):
        jobs[name](parameters)
