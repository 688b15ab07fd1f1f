"""Entry journals: the way in which a person records actuals."""

from decimal import Decimal

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import ACTUAL, of_origin
from sandbox.dataverse.rules.options import TransactionClass, TransactionType
from sandbox.dataverse.rules.time_jobs import approve_time, submit_time
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm


def test_r309_a_posted_entry_journal_becomes_actuals(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    journal = as_user(desk, "msdyn_journal", None, {"msdyn_description": "Fees"})
    line = as_user(
        desk,
        "msdyn_journalline",
        None,
        {
            "msdyn_journal": journal,
            "msdyn_project": project,
            "msdyn_transactiontypecode": TransactionType.COST,
            "msdyn_transactionclassification": TransactionClass.EXPENSE,
            "msdyn_documentdate": DAY,
            "msdyn_quantity": Decimal(3),
            "msdyn_price": Decimal("10.5"),
        },
    )
    as_user(desk, "msdyn_journal", journal, {"msdyn_isposted": True})
    [actual] = of_origin(desk, line)
    assert (actual["msdyn_amount"], actual["msdyn_documentdate"]) == (Decimal("31.5"), DAY)
    assert actual["msdyn_owningcompany"] == firm.companies["USPM"]
    assert actual["transactioncurrencyid"] == firm.currencies["USD"]
    assert desk.get("msdyn_journalline", line)["msdyn_isposted"]
    with pytest.raises(ApiError, match="journal is posted and cannot be changed"):
        as_user(desk, "msdyn_journal", journal, {"msdyn_isposted": False})
    with pytest.raises(ApiError, match="journal is posted and cannot be changed"):
        as_user(desk, "msdyn_journalline", line, {"msdyn_quantity": Decimal(4)})
    with pytest.raises(ApiError, match="takes no more lines"):
        as_user(desk, "msdyn_journalline", None, {"msdyn_journal": journal, "msdyn_project": project})
    assert len(desk.find(ACTUAL)) == 1


def test_a_line_without_a_project_is_not_posted(desk: Desk) -> None:
    journal = as_user(desk, "msdyn_journal", None, {})
    as_user(desk, "msdyn_journalline", None, {"msdyn_journal": journal, "msdyn_description": "Tea"})
    with pytest.raises(ApiError, match="Journal line 'Tea' has no project"):
        as_user(desk, "msdyn_journal", journal, {"msdyn_isposted": True})


def test_r301_the_journal_of_submitted_time_is_posted_by_its_approval_only(desk: Desk, firm: Firm) -> None:
    entry = firm.time_entry(firm.project("P1"))
    submit_time(desk, {"entries": [entry]})
    [line] = desk.find("msdyn_journalline", msdyn_timeentry=entry)
    with pytest.raises(ApiError, match="approve the time entry"):
        as_user(desk, "msdyn_journal", line["msdyn_journal"], {"msdyn_isposted": True})
    assert approve_time(desk, {"entries": [entry]})["approved"] == 1
    assert [actual["msdyn_amount"] for actual in desk.find(ACTUAL)] == [Decimal(800)]
