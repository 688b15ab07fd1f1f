"""Subcontracts from draft to confirmed, closed or canceled (R1101)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import PLUGIN_REFUSED, Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.options import SubcontractStatus, TransactionClass
from sandbox.dataverse.rules.subcontracts import confirm_subcontracts
from sandbox.rules.jobs import Job, JobRefusedError
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.purchases import hours, subcontract, subcontract_line

SUBCONTRACT, LINE = "msdyn_subcontract", "msdyn_subcontractline"


def status(desk: Desk, row_id: str) -> SubcontractStatus:
    return SubcontractStatus(desk.get(SUBCONTRACT, row_id)["statuscode"])


def set_status(desk: Desk, row_id: str, value: SubcontractStatus) -> None:
    as_user(desk, SUBCONTRACT, row_id, {"statuscode": value})


def test_r1101_a_subcontract_is_confirmed_by_the_job_or_by_hand(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    first, second = subcontract(firm, project, "SC-1"), subcontract(firm, project, "SC-2")
    line = desk.get(LINE, subcontract_line(firm, first, "SCL-1"))
    subcontract_line(firm, second, "SCL-2")
    assert (line["msdyn_project"], line["msdyn_owningcompany"]) == (project, firm.companies["USPM"])
    assert confirm_subcontracts(desk, {"subcontracts": [first]}) == {"confirmed": 1, "errors": []}
    set_status(desk, second, SubcontractStatus.CONFIRMED)
    assert {status(desk, first), status(desk, second)} == {SubcontractStatus.CONFIRMED}


def test_r1101_changes_of_a_confirmed_subcontract_s_lines_follow(desk: Desk, firm: Firm) -> None:
    """A line stays open to changes, which change tracking hands on; once all is over it is closed."""
    row_id = subcontract(firm, firm.project("P1"))
    line = subcontract_line(firm, row_id)
    confirm_subcontracts(desk, {"subcontracts": [row_id]})
    before = desk.get(LINE, line)["versionnumber"]
    as_user(desk, LINE, line, {"msdyn_quantity": Decimal(50)})
    assert desk.get(LINE, line)["versionnumber"] > before
    set_status(desk, row_id, SubcontractStatus.CLOSED)
    with pytest.raises(ApiError, match="Subcontract SC-1 is closed: its lines cannot change") as error:
        as_user(desk, LINE, line, {"msdyn_quantity": Decimal(60)})
    assert error.value.code == PLUGIN_REFUSED
    with pytest.raises(ApiError, match="its lines cannot change"):
        as_user(desk, LINE, None, {"msdyn_subcontract": row_id})


@pytest.mark.parametrize(
    ("header", "line", "words"),
    [
        ({"msdyn_vendor": None}, {}, "SC-1 has no vendor"),
        ({}, None, "SC-1 has no lines"),
        ({}, {"msdyn_quantity": None}, "Line SCL-1 of subcontract SC-1 has no quantity"),
        (
            {},
            {"msdyn_transactionclassification": TransactionClass.MATERIAL},
            "Line SCL-1 of subcontract SC-1 has no product",
        ),
        ({"msdyn_project": None}, {}, "Line SCL-1 of subcontract SC-1 has no project"),
    ],
)
def test_r1101_what_finance_could_not_order_is_not_confirmed(
    desk: Desk,
    firm: Firm,
    header: dict[str, Any],
    line: dict[str, Any] | None,
    words: str,
) -> None:
    good, bad = subcontract(firm, firm.project("P1"), "SC-2"), subcontract(firm, firm.project("P2"), **header)
    subcontract_line(firm, good, "SCL-2")
    if line is not None:
        subcontract_line(firm, bad, **line)
    outcome = confirm_subcontracts(desk, {"subcontracts": [bad, good]})
    assert outcome["confirmed"] == 1
    assert words in outcome["errors"][0]
    assert status(desk, bad) is SubcontractStatus.DRAFT
    with pytest.raises(ApiError, match=words):
        set_status(desk, bad, SubcontractStatus.CONFIRMED)


def test_a_state_that_does_not_follow_is_refused(desk: Desk, firm: Firm) -> None:
    row_id = subcontract(firm, firm.project("P1"))
    with pytest.raises(ApiError, match="SC-1 is draft and cannot become closed"):
        set_status(desk, row_id, SubcontractStatus.CLOSED)
    set_status(desk, row_id, SubcontractStatus.DRAFT)
    set_status(desk, row_id, SubcontractStatus.CANCELED)
    with pytest.raises(ApiError, match="SC-1 is canceled and cannot become draft"):
        set_status(desk, row_id, SubcontractStatus.DRAFT)


def test_a_subcontract_with_actuals_is_closed_not_canceled(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    row_id = subcontract(firm, project)
    line = subcontract_line(firm, row_id)
    confirm_subcontracts(desk, {"subcontracts": [row_id]})
    hours(firm, project, subcontract_line=line)
    with pytest.raises(ApiError, match="SC-1 has actuals and cannot be canceled"):
        set_status(desk, row_id, SubcontractStatus.CANCELED)
    set_status(desk, row_id, SubcontractStatus.CLOSED)
    assert status(desk, row_id) is SubcontractStatus.CLOSED


def test_the_job_says_what_it_needs(jobs: dict[str, Job]) -> None:
    with pytest.raises(JobRefusedError, match="needs the parameter 'subcontracts'"):
        jobs["confirm-subcontract"]({})
    with pytest.raises(JobRefusedError, match="There is no msdyn_subcontract with the id"):
        jobs["confirm-subcontract"]({"subcontracts": ["11111111-0000-0000-0000-000000000009"]})


def test_a_subcontract_always_has_a_status(desk: Desk, firm: Firm) -> None:
    with pytest.raises(ApiError, match="Subcontract SC-1 must have a status"):
        as_user(desk, SUBCONTRACT, subcontract(firm, firm.project("P1")), {"statuscode": None})


def test_a_line_does_not_leave_a_subcontract_that_is_closed(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    closed, other = subcontract(firm, project), subcontract(firm, project, "SC-2")
    line = subcontract_line(firm, closed)
    desk.update(SUBCONTRACT, closed, {"statuscode": SubcontractStatus.CLOSED})
    with pytest.raises(ApiError, match="Subcontract SC-1 is closed"):
        as_user(desk, LINE, line, {"msdyn_subcontract": other})
