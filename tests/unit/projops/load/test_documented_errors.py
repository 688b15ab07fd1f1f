"""E1 to E16 by the words of documents and of systems; each says what it means and what to do."""

import pytest

from projops.load.documented_errors import ACTUALS, DOCUMENTED, INVOICES, recognise
from projops.load.results import outcome_of
from projops.load.target import Result
from projops.systems.outcomes import RowOutcome, Status

SENTENCES = [
    (
        "E1",
        "Could not resolve project task for export expense EXP-1. It must be a leaf.",
    ),
    ("E1", "The specified task activity number doesn't uniquely identify the task of the project."),
    ("E2", "Unable to lookup uoms with values {TST}. Writes failed with an error message."),
    ("E2", "Unable to look up uoms with values {msdyn_symbol TST}; map units brings it."),
    ("E3", "Product id is mandatory. Select a product from the catalog."),
    ("E4", "The Transaction Category linked to this vendor invoice line is invalid."),
    ("E4", "The transaction category of vendor invoice line PT-1 is invalid: select an active one."),
    ("E5", "Unable to lookup accounts with values {USPM-000022,edbebb23}."),
    (
        "E6",
        "exception - Line property Not available doesn't exist. \nvalidateWrite failed",
    ),
    ("E6", "Line property Chargeable does not exist in company USPM."),
    ("E7", "Unable to look up msdyn_actuals with values X"),
    ("E7", "Attribute msdyn_transactiontypecode not found in the record of type msdyn_actual"),
    ("E7", "Unable to write data to entity msdyn_actuals"),
    ("E8", "Project stage finished doesn't allow recording in the project."),
    ("E9", "Project transaction hasn't been posted yet. Verify that you have posted all of the journals."),
    ("E10", "Invoice proposal wasn't processed because of mismatched billed sales actuals with Dataverse."),
    ("E11", "Unable to import actual {g}. Intercompany relationship has to be set up between GBSI and USPM"),
    ("E12", "No open fiscal period was found for the specified accounting date 11/20/2024."),
    ("E13", "No open fiscal period was found in or after the specified accounting date 11/20/2024."),
    (
        "E14",
        "Integration journal (J-41): Line with RecId (1) and Voucher (V-51) failed to post due to (x).",
    ),
    ("E15", "A maximum of 200 project-based lines are supported"),
    ("E16", "There's no contract that exists for this project"),
]
ANYTHING_ELSE = [
    "The project's scheduled end lies before its start.",
    "Cannot create a record in Customers (CustTable). The record already exists.",
    "Unable to look up transactioncurrencies with values {isocurrencycode XTS}; map currencies brings it.",
    "No contract line of project P-1 includes fees: include them in one, or charge another project.",
    "The value 'RCN-9' in field 'Role' is not found in the related table 'Roles'.",
    "",
]


@pytest.mark.parametrize(("number", "sentence"), SENTENCES)
def test_a_documented_error_is_recognised_by_its_words(number: str, sentence: str) -> None:
    found = recognise(sentence)
    assert found is not None
    assert found.id == number


@pytest.mark.parametrize("sentence", ANYTHING_ELSE)
def test_anything_else_is_none_of_them(sentence: str) -> None:
    assert recognise(sentence) is None


def test_a_line_that_cannot_be_posted_is_e14_whatever_reason_it_quotes() -> None:
    found = recognise("Line with RecId (1) failed to post due to (No open fiscal period was found for 2024).")
    assert found is DOCUMENTED["E14"]


def test_each_of_the_sixteen_says_what_it_means_and_what_to_do() -> None:
    assert set(DOCUMENTED) == {f"E{number}" for number in range(1, 17)} == {number for number, _ in SENTENCES}
    for each in DOCUMENTED.values():
        assert each.meaning.endswith(".")
        assert each.remedy.endswith(".")
        assert each.map in (ACTUALS, INVOICES)


def test_a_refusal_that_sounds_like_a_missing_parent_is_no_reason_to_wait() -> None:
    row = RowOutcome(0, Status.PARENT_MISSING, message="Line property Chargeable does not exist.")
    outcome = outcome_of(row)
    assert (outcome.result, outcome.code, outcome.retriable) == (Result.REFUSED, "E6", False)


def test_the_systems_own_code_stays_in_the_sentence() -> None:
    row = RowOutcome(0, Status.REJECTED, "0x80040265", "Product id is mandatory.")
    assert outcome_of(row).message == "0x80040265: Product id is mandatory."
    other = RowOutcome(0, Status.REJECTED, "0x80044331", "The length of 'name' exceeds 100.")
    assert (outcome_of(other).code, outcome_of(other).message) == (other.code, other.message)
