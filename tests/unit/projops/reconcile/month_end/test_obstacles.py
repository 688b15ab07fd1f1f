from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from projops.errors import ConfigurationError
from projops.mapping.reader import load_maps
from projops.reconcile.model import Finding, Invariant, Kind, RowDifference, Verdict
from projops.reconcile.month_end.gate import company_of, day_of
from projops.reconcile.month_end.model import Evidence, Gate, Held, Obstacle, Period
from projops.reconcile.month_end.obstacles import judge, read_before
from projops.run import LegRef
from projops.standing import LegStatus, Standing
from projops.state.leg_facts import LegFacts, Underway

MAPS = load_maps(Path(__file__).parents[5] / "include" / "mappings").maps
OCTOBER = Period(date(2026, 10, 1))
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
ACTUALS = LegRef("actuals", FORTH)
GUID, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
KEY = f'["{GUID}","uspm"]'
HOLDS = Invariant("lines_posted", "uspm", True, False, "", "Each line is posted.")
IN_STEP = LegStatus("expenses", BACK, "expense_management", Standing.IN_STEP, LegFacts(NOW))


def finding(verdict: Verdict, key: str = KEY, leg: LegRef = ACTUALS) -> Finding:
    row = RowDifference(leg, key, Kind.MISSING, OTHER, None, "x", company="uspm", period="2026-10")
    return Finding(row, verdict, "why", "Because of that.")


def held(company: str | None = "uspm", period: str | None = "2026-10") -> Held:
    return Held(7, ACTUALS, "open", KEY, OTHER, company, period)


def judged(
    findings: Sequence[Finding] = (),
    letters: Sequence[Held] = (),
    books: Sequence[Invariant] = (HOLDS,),
    legs: Sequence[LegStatus] = (IN_STEP,),
    not_compared: Mapping[str, str] | None = None,
) -> Gate:
    areas = {"actuals": "estimates_and_actuals", "expenses": "expense_management"}
    unread = read_before(OCTOBER, "America/New_York", NOW)
    evidence = Evidence(findings, letters, books, legs, not_compared or {}, areas, unread)
    return judge("uspm", OCTOBER, evidence, NOW, "America/New_York")


def only(gate: Gate) -> Obstacle:
    assert not gate.can_be_closed
    assert gate.sentence == "USPM 2026-10 cannot be closed: 1 thing stands in the way."
    (obstacle,) = gate.obstacles
    return obstacle


def test_a_month_in_which_all_is_done_can_be_closed() -> None:
    gate = judged()
    assert gate.can_be_closed
    assert gate.sentence == "USPM 2026-10 can be closed."


def test_what_somebody_decided_to_keep_does_not_stand_in_the_way() -> None:
    assert judged([finding(Verdict.KEPT)]).can_be_closed


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.KEPT])
def test_a_row_that_differs_stands_in_the_way_by_what_it_is(verdict: Verdict) -> None:
    obstacle = only(judged([finding(verdict)]))
    assert (obstacle.kind, obstacle.subject, obstacle.count) == (verdict, f"actuals {FORTH}", 1)
    assert obstacle.message == f"1 row of actuals {FORTH}: {KEY}. Because of that."
    assert "actuals" in obstacle.remedy


def test_rows_are_counted_by_map_and_the_first_keys_are_named() -> None:
    many = [finding(Verdict.PENDING, f'["{place:02}","uspm"]') for place in range(12)]
    obstacle = only(judged(many))
    assert obstacle.count == 12
    assert '["09","uspm"] and 2 more' in obstacle.message
    assert '["10","uspm"]' not in obstacle.message
    two = judged([*many, finding(Verdict.PENDING, leg=LegRef("expenses", BACK))])
    assert [each.subject for each in two.obstacles] == [f"actuals {FORTH}", f"expenses {BACK}"]


def test_a_dead_letter_of_the_company_and_period_stands_in_the_way() -> None:
    obstacle = only(judged(letters=[held()]))
    assert (obstacle.kind, obstacle.count) == ("dead_letter", 1)
    assert f"dead letter 7 ({KEY})" in obstacle.message
    assert "cannot be told" not in obstacle.message


@pytest.mark.parametrize("facts", [{"company": "gbpm"}, {"period": "2026-09"}, {"period": "2026-11"}])
def test_a_dead_letter_of_another_company_or_period_does_not(facts: Mapping[str, str]) -> None:
    assert judged(letters=[held(**facts)]).can_be_closed


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"company": None}, "Of which company cannot be told"),
        ({"period": None}, "Of which period cannot be told"),
        ({"company": None, "period": None}, "Of which company and period cannot be told"),
    ],
)
def test_one_of_which_that_cannot_be_told_stands_in_the_way_and_says_so(
    facts: Mapping[str, None], said: str
) -> None:
    assert said in only(judged(letters=[held(**facts)])).message


def test_a_row_that_was_compared_and_its_dead_letter_are_one_thing() -> None:
    obstacle = only(judged([finding(Verdict.DEAD_LETTER)], [held()]))
    assert "Because of that." in obstacle.message
    assert (
        len(judged([finding(Verdict.DEAD_LETTER)], [replace(held(), key=None, source_id="z")]).obstacles) == 2
    )


def test_what_waits_in_the_books_stands_in_the_way_though_it_breaks_no_rule() -> None:
    waits = Invariant("lines_posted", "uspm", True, True, "journal USPM-000001 line 2", "Post it.")
    obstacle = only(judged(books=[HOLDS, waits]))
    assert (obstacle.kind, obstacle.subject, obstacle.message) == (waits.name, waits.subject, "Post it.")


def test_a_broken_rule_stands_in_the_way() -> None:
    broken = Invariant(
        "clearing_expense", "uspm", False, False, "expense integration account", "It stands at 5."
    )
    assert only(judged(books=[broken])).kind == "clearing_expense"


@pytest.mark.parametrize("name", ["actuals_staged", "vouchers_returned", "billed_invoiced"])
@pytest.mark.parametrize("subject", [f"actual {GUID}", f"actual {OTHER}"])
def test_what_was_said_of_a_row_is_not_said_of_the_books_again(name: str, subject: str) -> None:
    again = Invariant(name, "uspm", True, True, subject, "On its way.")
    assert only(judged([finding(Verdict.PENDING)], books=[again])).kind == "pending"
    assert only(judged(books=[again])).kind == name
    assert len(judged([finding(Verdict.PENDING, '["x","uspm"]')], books=[again]).obstacles) == (
        2 if GUID in subject else 1
    )


@pytest.mark.parametrize(
    "standing",
    [Standing.PAUSED, Standing.INITIAL_SYNC, Standing.STOPPED, Standing.NOT_RUNNING, Standing.CATCHING_UP],
)
def test_a_leg_that_does_not_run_stands_in_the_way(standing: Standing) -> None:
    facts = LegFacts(NOW, underway=Underway(7, NOW, stopped_because="Too many rows are bad."))
    obstacle = only(judged(legs=[replace(IN_STEP, standing=standing, facts=facts)]))
    assert (obstacle.kind, obstacle.subject) == (standing.value, f"expenses {BACK}")
    assert ("Too many rows are bad." in obstacle.message) is (standing is Standing.STOPPED)
    assert "expense_management" in obstacle.remedy


def test_finance_must_have_been_read_since_the_period_ended() -> None:
    """Midnight of New York is four hours behind that of UTC."""
    end = datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert judged(legs=[replace(IN_STEP, facts=LegFacts(end))]).can_be_closed
    before = LegFacts(end - timedelta(seconds=1))
    obstacle = only(judged(legs=[replace(IN_STEP, facts=before)]))
    assert (obstacle.kind, obstacle.count) == ("behind", 1)
    # Dataverse was asked for its changes when the rows were compared.
    assert judged(legs=[replace(IN_STEP, map="actuals", leg=FORTH, facts=before)]).can_be_closed


def test_rows_that_are_set_aside_are_told_by_their_letters_alone() -> None:
    assert judged(legs=[replace(IN_STEP, standing=Standing.BEHIND)]).can_be_closed


def test_a_map_that_could_not_be_compared_stands_in_the_way() -> None:
    obstacle = only(judged(not_compared={"actuals": "Finance cannot be reached."}))
    assert obstacle.kind == "not_compared"
    assert "Finance cannot be reached." in obstacle.message


def test_of_a_month_that_is_not_over_no_more_is_said_than_that_nothing_stands_in_the_way() -> None:
    november = Period(date(2026, 11, 1))
    evidence = Evidence((), (), (HOLDS,), (), {}, {}, NOW)
    gate = judge("uspm", november, evidence, NOW, "UTC")
    assert gate.can_be_closed
    assert gate.sentence == "Nothing stands in the way of USPM 2026-11, which is not over."
    assert read_before(november, "UTC", NOW) == NOW - timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "0000-01", "1899-12", "9999-12", "2026", "2026-1", "oct", "2026-10-01", ""]
)
def test_what_is_no_month_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is no month\. Write it like 2026-10\."):
        Period.of(text)


@pytest.mark.parametrize(
    ("text", "last"),
    [("2024-02", date(2024, 2, 29)), ("2026-02", date(2026, 2, 28)), ("2026-12", date(2026, 12, 31))],
)
def test_a_month_ends_with_its_last_day(text: str, last: date) -> None:
    period = Period.of(text)
    assert (str(period), period.last) == (text, last)
    ends = datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)
    assert period.ended_at("UTC") == ends
    assert period.ended_at("Pacific/Auckland") < ends < period.ended_at("America/Los_Angeles")


@pytest.mark.parametrize(
    ("map_id", "key", "company"),
    [
        ("actuals", f'["{GUID}","uspm"]', "uspm"),
        ("vendor_invoices", '["vi-1","v1","gbpm"]', "gbpm"),
        ("vendor_invoice_lines", '["t1","demf"]', "demf"),
        ("currencies", '["usd"]', None),  # a global map
        ("actuals", None, None),
        ("actuals", f'["{GUID}"]', None),  # of a former mapping
        ("projects", '["prj-1",null]', None),
    ],
)
def test_the_key_of_a_row_tells_its_company(map_id: str, key: str | None, company: str | None) -> None:
    assert company_of(MAPS[map_id], key) == company


@pytest.mark.parametrize(
    ("map_id", "payload", "day"),
    [
        ("actuals", {"AccountingDate": "2026-10-31", "DocumentDate": "2026-09-30"}, date(2026, 10, 31)),
        ("actuals", {"DocumentDate": "2026-09-30"}, date(2026, 9, 30)),
        # The source's own: a moment, whose day is that of the company's place.
        ("actuals", {"msdyn_documentdate": "2026-11-01T03:59:59+00:00"}, date(2026, 10, 31)),
        ("actuals", {"msdyn_documentdate": "2026-11-01T04:00:00+00:00"}, date(2026, 11, 1)),
        ("vendor_invoices", {"msdyn_invoicedate": "2026-10-31"}, date(2026, 10, 31)),
        ("actuals", {"msdyn_description": "2026-10-31"}, None),
        # What a row was set aside for may be its day.
        ("actuals", {"msdyn_documentdate": "0001-01-01T00:00:00+00:00"}, None),
        ("actuals", {"AccountingDate": "31.10.2026"}, None),
        ("projects", {"msdyn_actualstart": "2026-10-31T04:00:00+00:00"}, None),
    ],
)
def test_the_payload_of_a_row_tells_its_day(map_id: str, payload: dict[str, str], day: date | None) -> None:
    assert day_of(MAPS[map_id], payload, "America/New_York") == day
