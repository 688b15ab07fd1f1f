"""The errors that Microsoft documents for these maps: how each is recognised, what it means, what to do.

Data, and one function that reads it. E1 to E5 and E7 come when a row is written to Dataverse, or one
that it refers to is looked up there; E6 and E8 when a row is written to Finance; E8 to E16 from the
jobs and journals of Finance, which tell them by messages (`extract.finance_messages`). Wording differs
between versions and languages, so a few words of each are enough [D frequent issues, project
integration workspace, actuals validation, general journals].
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ACTUALS, INVOICES = "actuals", "invoice_proposals"


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """One documented error.

    Attributes:
        id: E1 to E16.
        pattern: Words by which a sentence is recognised.
        meaning: One sentence for people.
        remedy: One sentence: what to do.
        map: The map whose row a message of Finance is about.
    """

    id: str
    pattern: re.Pattern[str]
    meaning: str
    remedy: str
    map: str = ACTUALS


def recognise(sentence: str) -> DocumentedError | None:
    """Find the documented error that a system's sentence speaks of, or None."""
    return next((each for each in DOCUMENTED.values() if each.pattern.search(sentence)), None)


def _error(number: int, words: str, meaning: str, remedy: str, map_id: str = ACTUALS) -> DocumentedError:
    return DocumentedError(f"E{number}", re.compile(words, re.IGNORECASE), meaning, remedy, map_id)


# The order decides where the words of several stand in one sentence: E13's hold those of E12, and a
# journal line that fails (E14) may quote the reason of any other.
_IN_ORDER = (
    _error(
        14,
        r"integration journal .*failed to post|line with recid .*failed to post",
        "A line of the integration journal could not be posted, for the reason that it quotes.",
        "Remove the reason in Finance, set the line back to draft and post again.",
    ),
    _error(
        1,
        r"resolve (the )?project task|task\b.*\buniquely identif",
        "The expense names a summary task, or an activity that does not identify one task of the project.",
        "Recall the expense report in Finance, choose the activity of a leaf task and post it again.",
    ),
    _error(
        2,
        r"unable to look ?up uoms? with values",
        "The line's unit of measure is not in Dataverse.",
        "Run the map units, with `--full` if the unit is old; the line then goes by itself.",
    ),
    _error(
        3,
        r"product( id)? is (mandatory|required)",
        "The line of class Material has no product that Dataverse knows.",
        "Release the product in Finance, run the map products, then replay the line.",
    ),
    _error(
        4,
        r"transaction category\b.*\b(invalid|not valid)",
        "The line's transaction category is not an active one of class Expense.",
        "Create or activate the transaction category in Dataverse, then replay the line.",
    ),
    _error(
        5,
        r"unable to look ?up accounts? with values",
        "The vendor (or customer) has no account in Dataverse.",
        "Run the map vendors (customers), with `--full` if it is old; the row then goes by itself.",
    ),
    _error(
        6,
        r"line property\b.*\b(does not|doesn.?t) exist",
        "Finance has no line property for the billing type of the actual (R503).",
        "Set up the line properties for billing types in the project parameters of the company, then replay.",
    ),
    _error(
        7,
        r"unable to look ?up msdyn_actuals? with values|msdyn_transactiontypecode not found"
        r"|unable to write data to entity msdyn_actuals",
        "Finance has an actual that Dataverse lacks, or that is invalid there; it is never created.",
        "Correct or remove the invalid actual (actuals validation in Finance), then replay.",
    ),
    _error(
        8,
        r"project stage\b.*\b(does not|doesn.?t) allow",
        "The project is closed: its stage lets nothing be recorded (R113).",
        "Reopen the project in Dataverse and run the map projects, then replay.",
    ),
    _error(
        9,
        r"project transaction (has not|hasn.?t) been posted",
        "Unbilled actuals of the invoice are not posted yet, so none of its lines is taken (R802).",
        "Post the related integration journals, then import from staging again.",
        INVOICES,
    ),
    _error(
        10,
        r"mismatched billed sales",
        "Finance and Dataverse do not count the same billed sales actuals for the invoice (R803).",
        "Run the maps actuals and transaction_connections, then import from staging again.",
        INVOICES,
    ),
    _error(
        11,
        r"intercompany relation(ship)?\b",
        "The two companies have no intercompany relation in Finance (R1204).",
        "Set it up in the project parameters of the lender, then import from staging again.",
    ),
    _error(
        13,
        r"no open (fiscal )?period\b.*\bin or after",
        "Neither the accounting date nor any later one lies in an open fiscal period (R604).",
        "Open a fiscal period, then import from staging again.",
    ),
    _error(
        12,
        r"no open (fiscal )?period\b",
        "The accounting date lies in a closed fiscal period (R604).",
        "Open the period, or let Finance set the date to the next open one, then import again.",
    ),
    _error(
        15,
        r"maximum of \d+ project",
        "A general journal has more than 200 lines with a project.",
        "Split the journal and post its parts.",
    ),
    _error(
        16,
        r"no (project )?contract\b(?! lines?\b).*\bproject",
        "A general journal names a project without a contract.",
        "Give the project a contract, or leave it out of the journal.",
    ),
)
DOCUMENTED: Mapping[str, DocumentedError] = {each.id: each for each in _IN_ORDER}
