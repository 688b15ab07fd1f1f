"""The report as a page: what it says, what it hides, and that it needs nothing from elsewhere."""

import json
import re
from decimal import Decimal

import pytest

from projops.reconcile.model import ColumnDifference, Invariant, Scope, Total, Verdict
from projops.reconcile.report.model import Report
from projops.reconcile.report.page import render
from projops.state.quality import Trend
from tests.unit.projops.reconcile.report.reading import Element, read
from tests.unit.projops.reconcile.report.sample import (
    ACTUALS,
    AT,
    CUSTOMERS,
    leg,
    reconciliation,
    report,
    seen,
)

HOSTILE = (
    "<script>alert('1')</script>&amp;\"'><img src=https://evil.example/x onerror=alert(2)>$x_1${{ 7*7 }}"
)


def page(told: Report | None = None, *, values: bool = True) -> Element:
    return read(render(told or report(), values=values))


def verdict(root: Element) -> list[str]:
    section = next(each for each in root.all("section") if each.attributes.get("aria-label") == "Verdict")
    return [each.text for each in section.all("p")]


def table(root: Element, label: str) -> Element:
    return next(
        each
        for each in root.all("div")
        if each.attributes.get("role") == "region" and each.attributes["aria-label"] == label
    )


def test_the_numbers_are_those_of_the_legs() -> None:
    terms = {term.text: number.text for term, number in _pairs(page(), "numbers")}
    assert terms == {
        "Rows that should be there": "12",
        "Equal": "9",
        "Different, explained": "2",
        "Different, not explained (drift)": "1",
        "Checks of the books that fail": "1",
    }


def _pairs(root: Element, kind: str) -> list[tuple[Element, Element]]:
    block = next(each for each in root.all("dl") if each.attributes["class"] == kind)
    return list(zip(block.all("dt"), block.all("dd"), strict=True))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            report(),
            [
                "Drift of 1 row: both systems differ there, and nothing explains it.",
                "1 of the things that must hold of the books does not.",
            ],
        ),
        (
            report(legs=(leg(ACTUALS, 1234, {}),), invariants=report().invariants[1:]),
            ["In step: 1,234 rows of 1,234 are equal."],
        ),
        (
            report(legs=(leg(ACTUALS, 3, {Verdict.PENDING: 2}),), invariants=report().invariants[1:]),
            ["In step: 3 rows of 5 are equal, and 2 rows differ for a known reason."],
        ),
        (
            report(reconciliation=reconciliation(threshold=1), invariants=report().invariants[1:]),
            ["Nearly in step: drift of 1 row, which is tolerated (up to 1)."],
        ),
        (
            report(legs=(leg(ACTUALS, 3, {}),), not_compared=("projects",), invariants=()),
            ["The books could not be checked; the log of that task says why.", "Not compared: projects."],
        ),
        (
            report(legs=(), invariants=(), reconciliation=reconciliation(scope=Scope(maps=("units",)))),
            ["In step: 0 rows of 0 are equal."],
        ),
    ],
    ids=["drift", "in step", "explained", "tolerated", "not compared", "some maps"],
)
def test_the_verdict_is_a_sentence_for_each_thing_that_is_wrong(told: Report, said: list[str]) -> None:
    assert verdict(page(told)) == said


def test_a_difference_names_map_key_column_both_values_cause_and_remedy() -> None:
    rows = table(page(), "Rows that differ").rows()
    assert rows == [
        [
            "actuals, to Financea-1 / uspm",
            "Drift",
            "CostAmount",
            "10.00",
            "9.99",
            "Repair it. (edited at target; first seen 2026-11-23 02:00 UTC)",
        ],
        [
            "customers, to Dataversec-2 / uspm",
            "Kept",
            "the row is at the target alone",
            "Repair it. (edited at target; first seen 2026-11-23 02:00 UTC)",
        ],
    ]


def test_blanks_at_the_ends_empty_and_long_values_can_be_seen() -> None:
    columns = (
        ColumnDifference("Name", "Travel  x", " Travel  x  "),
        ColumnDifference("Note", None, "y" * 1000),
        ColumnDifference("City", "New\u00a0York\n", "\u202eNew \u200bYork\x1b"),
    )
    told = report(seen=(seen(ACTUALS, '["a-1"]', Verdict.DRIFT, *columns),))
    cells = [each for each in page(told).all("td") if each.attributes.get("class") == "value"]
    shown = ["".join(str(part) for part in cell.children) for cell in cells]
    assert shown == [
        *("Travel  x", "·Travel  x··"),
        *("(empty)", "y" * 300 + "… (1,000 characters)"),
        *("New\\u00a0York\n", r"\u202eNew \u200bYork\u001b"),
    ]


def test_without_values_nothing_of_what_rows_hold_is_there() -> None:
    columns = (ColumnDifference("Name", "Anna Andersson", "Bertil"), ColumnDifference("Note", None, "Secret"))
    told = report(seen=(seen(ACTUALS, '["a-1"]', Verdict.DRIFT, *columns),))
    text = render(told, values=False)
    assert not [value for value in ("Anna", "Bertil", "Secret", "(empty)") if value in text]
    assert "a-1" in text
    assert "Anna" in render(told, values=True)


def test_hostile_text_stays_text_wherever_it_stands() -> None:
    told = report(
        reconciliation=reconciliation(run_id=HOSTILE, dag_id=HOSTILE, scope=Scope(companies=(HOSTILE,))),
        titles={"actuals": HOSTILE},
        seen=(
            seen(
                ACTUALS,
                json.dumps([HOSTILE]),
                Verdict.DRIFT,
                ColumnDifference(HOSTILE, HOSTILE, "x"),
                explanation=HOSTILE,
            ),
        ),
        invariants=(Invariant(HOSTILE, HOSTILE, False, False, HOSTILE, HOSTILE),),
        not_compared=(HOSTILE,),
        rules=(Trend(AT.date(), "actuals", ACTUALS.leg, "validate", HOSTILE, "error", 3, 1),),
        legs=(leg(ACTUALS, 4, {}, (Total(HOSTILE, HOSTILE, 1, 2, {HOSTILE: Decimal(1)}),)),),
    )
    root = page(told)
    assert root.all("script", "img", "iframe", "object", "link", "form", "base") == []
    assert not [name for each in root.all() for name in each.attributes if name.startswith("on")]
    assert root.text.count("alert('1')") >= 12
    assert "{{ 7*7 }}" in root.text


def test_the_page_needs_nothing_from_elsewhere() -> None:
    root = page()
    policy = next(each for each in root.all("meta") if "http-equiv" in each.attributes)
    assert str(policy.attributes["content"]).startswith("default-src 'none'; style-src 'unsafe-inline'")
    links = [
        str(each.attributes[name])
        for each in root.all()
        for name in ("href", "src", "xlink:href")
        if each.attributes.get(name)
    ]
    assert {link for link in links if not link.startswith("#")} == {"differences.parquet"}
    style = " ".join(each.text for each in root.all("style"))
    assert not re.search(r"@import|url\((?!#)", style)


def test_tables_say_what_their_cells_belong_to_and_ids_are_there_once() -> None:
    root = page()
    assert len(root.all("table")) >= 6
    assert {str(each.attributes.get("scope")) for each in root.all("th")} <= {"col", "row", "rowgroup"}
    ids = [each.attributes["id"] for each in root.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    assert all(each.attributes.get("aria-label") for each in root.all("div") if each.attributes.get("role"))


def test_rows_by_verdict_stand_in_words_and_numbers() -> None:
    rows = table(page(), "Rows of each map and direction").rows()
    assert rows == [
        [
            "actualsIntegration actuals",
            "to Finance",
            "6",
            "6",
            "4",
            "1",
            "0",
            "1",
            "0",
            "0",
            "0",
            "1.0.0.22",
            "17",
        ],
        [
            "customersCustomers V3",
            "to Dataverse",
            "6",
            "6",
            "5",
            "0",
            "0",
            "0",
            "0",
            "0",
            "1",
            "1.0.0.22",
            "17",
        ],
    ]


def test_sums_of_both_sides_are_exact_and_what_differs_comes_first() -> None:
    rows = table(page(), "Sums of actuals, to Finance").rows()
    assert rows == [
        ["USPM", "2026-10", "rows", "3", "2", "-1"],
        ["USPM", "2026-10", "CostAmount", "1,200.10", "1,200.09", "-0.01"],
        ["GBPM", "2026-10", "rows", "1", "1", "0"],
        ["GBPM", "2026-10", "CostAmount", "7.125", "7.125", "0.000"],
    ]
    assert "actuals, to Finance: 2 lines differ" in [each.text for each in page().all("summary")]


def test_what_was_found_of_the_books_is_parted() -> None:
    root = page()
    found = {
        title: [row[2:] for row in table(root, title).rows()]
        for title in ("What does not hold, and what to do", "What waits for its turn", "What holds")
    }
    assert found == {
        "What does not hold, and what to do": [["130700", "It stands at 12.50."]],
        "What waits for its turn": [["V-9", "It comes with the next run."]],
        "What holds": [["all", "Every voucher balances."]],
    }


def test_charts_say_their_numbers_as_text_in_the_colour_of_the_page() -> None:
    root = page()
    charts = root.all("svg")
    assert len(charts) == 3
    assert "4 equal, 1 explained, 1 drift" in charts[0].text
    assert "R501" in charts[2].text
    assert "#010203" not in render(report(), values=True)
    assert "currentColor" in str([each.attributes.get("style") for each in charts[0].all("text")])
    assert len(page(report(rules=())).all("svg")) == 2


def test_the_rows_on_the_page_may_be_fewer_than_there_are() -> None:
    legs = (leg(ACTUALS, 0, {Verdict.DRIFT: 5000}), leg(CUSTOMERS, 0, {}))
    assert "5,000 in all; the first 2 follow, drift first." in page(report(legs=legs)).text


def test_nothing_that_differs_is_said_too() -> None:
    root = page(report(legs=(leg(CUSTOMERS, 5, {}),), seen=()))
    assert "None." in [each.text for each in root.all("p")]
    assert [each for each in root.all("a") if each.attributes["href"] == "differences.parquet"] == []


@pytest.mark.parametrize(
    ("sentence", "commands"),
    [
        ("Run `projops reconcile --repair`, or `<b>`.", ["projops reconcile --repair", "<b>"]),
        ("An ` that stands alone", []),
        ("`all` of ` it", ["all"]),
    ],
)
def test_commands_in_a_sentence_are_set_apart(sentence: str, commands: list[str]) -> None:
    cell = page(report(seen=(seen(ACTUALS, '["a"]', Verdict.DRIFT, explanation=sentence),))).all("td")
    [said] = [each for each in cell if each.attributes.get("class") == "said" and "edited" in each.text]
    assert [each.text for each in said.all("code")] == commands
    assert said.text.startswith(sentence if not commands else sentence.replace("`", "", 2 * len(commands)))
