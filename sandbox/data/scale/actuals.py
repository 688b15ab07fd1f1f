"""What work leaves behind in Dataverse: actuals, their connections and origins, entries and journal lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

from sandbox.data.firm import TODAY, Company, currency_id, local_midnight
from sandbox.data.prices import TRANSFER, role_price
from sandbox.data.resources import category_id, role_id
from sandbox.data.scale.terms import Terms, company_of
from sandbox.data.scale.work import Work
from sandbox.data.work import resource_id, unit_id
from sandbox.dataverse.rules.actuals import ACTUAL, Role, Row, connection, origin_row, reversal
from sandbox.dataverse.rules.billing import Part, Payer, Portion, parts, portions
from sandbox.dataverse.rules.journals import JOURNAL, LINE
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    AmountMethod,
    BillingStatus,
    BillingType,
    EntryStatus,
    PriceContext,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.time import TIME_ENTRY
from sandbox.rules.money import money
from sandbox.schema import load_dataverse
from sandbox.store.types import instant_text

CONNECTION, ORIGIN = "msdyn_transactionconnection", "msdyn_transactionorigin"
_TABLES = (JOURNAL, TIME_ENTRY, LINE, ACTUAL, CONNECTION, ORIGIN)
_RATE = Decimal(1)  # of all currencies that Dataverse has at the start
_APPROVED_AFTER = timedelta(days=3, hours=9)
_BILLED_AFTER = timedelta(days=45)
_LENT = (TransactionType.RESOURCING_UNIT_COST, TransactionType.INTERORGANIZATIONAL_SALES)


@dataclass
class Books:
    """Rows that wait to be stored, by table; ids are in the order of the rows, as Dataverse gives them."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in _TABLES})
    _numbers: Iterator[int] = field(default_factory=count)
    _taken: int = 0

    def add(self, table: str, values: Mapping[str, Any]) -> str:
        """Add a row, and return the id that it got."""
        row_id = f"{next(self._numbers):08x}-{_TABLES.index(table):04x}-4ca1-8a1e-5d3b8f0e7c1a"
        row = {f"{table}id": row_id, **values}
        if table == ACTUAL:
            row["msdyn_actualimportid"] = row_id
        self.rows[table].append(row)
        return row_id

    @property
    def recorded(self) -> int:
        """How many actuals there are, those that were taken before too."""
        return self._taken + len(self.rows[ACTUAL])

    def take(self) -> dict[str, list[Row]]:
        """Hand over what waits, by table, those first that others refer to."""
        self._taken, waiting = self.recorded, self.rows
        self.rows = {table: [] for table in _TABLES}
        return waiting

    def actual(self, values: Mapping[str, Any]) -> Row:
        """Add an actual, and return it."""
        self.add(ACTUAL, values)
        return self.rows[ACTUAL][-1]

    def connect(self, first: Row, first_role: Role, second: Row, second_role: Role) -> None:
        """Connect two actuals."""
        self.add(CONNECTION, connection(first, first_role, second, second_role))


def record(books: Books, terms: Terms, work: Work) -> None:
    """Write down all that the approval of a piece of work makes: see `rules.work.record_work`."""
    shared = _shared(terms, work)
    lender = None if work.lender is None else company_of(TRANSFER[work.lender][1])
    cost = books.actual(shared | terms.contract | _cost(terms, work, lender))
    rows = [cost, *(books.actual(shared | terms.contract | sale) for sale in _unbilled(terms, work))]
    if work.classification is not TransactionClass.TIME:
        _journal(books, terms, rows)
        return
    for sale in rows[1:]:
        books.connect(sale, Role.UNBILLED_SALES, cost, Role.COST)
    if lender is not None:
        rows += _lent(books, shared, work, lender, cost)
    entry = books.add(TIME_ENTRY, _entry(shared, work))
    for row in rows:
        books.add(ORIGIN, origin_row(row, TIME_ENTRY, entry))
    if work.canceled:
        _cancel(books, rows)


def _shared(terms: Terms, work: Work) -> Row:
    """What all actuals of the work say alike."""
    hours = work.classification is TransactionClass.TIME
    owner = terms.company if work.lender is None else company_of(TRANSFER[work.lender][1])
    return {
        **terms.project,
        **_days(terms.company, work.day),
        "msdyn_description": work.description,
        "msdyn_externaldescription": work.external,
        "msdyn_transactionclassification": work.classification,
        "msdyn_task": work.task,
        "msdyn_resourcecategory": None if work.role is None else _role(work.role),
        "msdyn_transactioncategory": _category(work.category),
        "msdyn_bookableresource": _resource(owner, work.person),
        **_lending(owner),
        "msdyn_isintercompany": work.lender is not None,
        "msdyn_unit": _UNITS["hr" if hours else "ea"],
        "msdyn_quantity": work.quantity,
        "msdyn_skipsync": False,
        "exchangerate": _RATE,
    }


def _cost(terms: Terms, work: Work, lender: Company | None) -> Row:
    """The cost; that of lent work is kept from Finance (R501)."""
    company = terms.company
    price = TRANSFER[work.lender][2] if work.lender is not None else work.cost
    listed = price if price is not None else _price(company, PriceContext.COST, work.role)
    return {
        "msdyn_transactiontypecode": TransactionType.COST,
        "msdyn_skipsync": lender is not None,
        **_priced(work.quantity, listed, company),
        **(terms.cost_list if work.cost is None else {}),
    }


def _unbilled(terms: Terms, work: Work) -> Iterator[Row]:
    """Unbilled sales, one a billing type and payer; none but for time and material (R302 to R305, R308)."""
    if not terms.payers:
        return
    billing = BillingType.CHARGEABLE if work.chargeable else BillingType.NON_CHARGEABLE
    price = _sales_price(terms, work)
    due = TODAY - work.day > _BILLED_AFTER
    for part in parts(work.quantity, billing, work.billable if work.chargeable else None):
        ready = due and part.billing_type is BillingType.CHARGEABLE
        for portion in _portions(part, terms.payers, price, terms.code):
            yield {
                "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
                "msdyn_billingtype": part.billing_type,
                "msdyn_billingstatus": BillingStatus.READY_TO_INVOICE
                if ready
                else BillingStatus.UNBILLED_SALES_CREATED,
                "msdyn_contractcustomer": portion.payer.contract_customer,
                "msdyn_accountcustomer": portion.payer.customer,
                "msdyn_quantity": portion.quantity,
                **_amounts(price, portion.amount, portion.amount_method),
                **terms.sales_list,
            }


def _sales_price(terms: Terms, work: Work) -> Decimal:
    """Hours by the price list, travel at cost, material with a tenth on top of it."""
    if work.cost is None:
        return _price(terms.company, PriceContext.SALES, work.role)
    expense = work.classification is TransactionClass.EXPENSE
    return work.cost if expense else work.cost * Decimal("1.1")


def _lent(books: Books, shared: Row, work: Work, lender: Company, cost: Row) -> list[Row]:
    """The lender's side: what the work cost it, and what it sold it for (R502, R1201)."""
    theirs = {**shared, "msdyn_owningcompany": lender.company_id}
    own = _priced(work.quantity, _price(lender, PriceContext.COST, work.role), lender)
    sold = {name: cost[name] for name in (*own, "msdyn_pricelist")} | {
        "msdyn_billingtype": BillingType.CHARGEABLE
    }
    spent, sale = (
        books.actual({**theirs, "msdyn_transactiontypecode": kind, **values})
        for kind, values in zip(_LENT, (own, sold), strict=True)
    )
    books.connect(spent, Role.RESOURCING_UNIT_COST, cost, Role.COST)
    books.connect(sale, Role.INTERORGANIZATIONAL_SALES, cost, Role.COST)
    books.connect(sale, Role.INTERORGANIZATIONAL_SALES, spent, Role.RESOURCING_UNIT_COST)
    return [spent, sale]


def _journal(books: Books, terms: Terms, actuals: list[Row]) -> None:
    """The posted entry journal that actuals came from: a line each."""
    head = {"msdyn_isposted": True, "msdyn_defaultproject": terms.project["msdyn_project"]}
    journal = books.add(JOURNAL, {"msdyn_description": actuals[0]["msdyn_description"], **head})
    for actual in actuals:
        copied = {name: actual[name] for name in _journal_columns() if name in actual}
        line = books.add(LINE, {**copied, "msdyn_journal": journal, "msdyn_isposted": True})
        books.add(ORIGIN, origin_row(actual, LINE, line))


def _entry(shared: Row, work: Work) -> Row:
    """The time entry; one whose approval was canceled is a draft again (R306)."""
    return {
        "msdyn_description": work.description,
        "msdyn_externaldescription": work.external,
        "msdyn_bookableresource": shared["msdyn_bookableresource"],
        "msdyn_date": shared["msdyn_documentdate"],
        "msdyn_duration": int(work.quantity * 60),
        "msdyn_entrystatus": EntryStatus.DRAFT if work.canceled else EntryStatus.APPROVED,
        "msdyn_project": shared["msdyn_project"],
        "msdyn_projecttask": work.task,
        "msdyn_resourcecategory": shared["msdyn_resourcecategory"],
        "msdyn_transactioncategory": shared["msdyn_transactioncategory"],
        "createdon": shared["createdon"],
        "modifiedon": shared["modifiedon"],
    }


def _cancel(books: Books, actuals: list[Row]) -> None:
    """Take actuals back: each is Adjusted and Canceled, with a reversal (R306)."""
    for actual in actuals:
        actual["msdyn_billingstatus"] = BillingStatus.CANCELED
        values = reversal(actual)
        actual["msdyn_adjustmentstatus"] = AdjustmentStatus.ADJUSTED
        own = {name: actual[name] for name in ("createdon", "modifiedon", "msdyn_price_base")}
        taken = books.actual({**values, **own, "msdyn_amount_base": values["msdyn_amount"]})
        books.connect(taken, Role.REVERSING, actual, Role.ORIGINAL)


def _priced(quantity: Decimal, price: Decimal, company: Company) -> Row:
    """Price and amount in the currency of a company."""
    amount = money(quantity * price, company.currency)
    values = _amounts(price, amount, AmountMethod.QUANTITY_BY_PRICE)
    return values | {"transactioncurrencyid": _currency(company.currency)}


def _amounts(price: Decimal, amount: Decimal, method: AmountMethod) -> Row:
    return {
        "msdyn_price": price,
        "msdyn_price_base": price,
        "msdyn_amount": amount,
        "msdyn_amount_base": amount,
        "msdyn_amountmethod": method,
    }


@lru_cache(maxsize=100_000)
def _portions(part: Part, payers: tuple[Payer, ...], price: Decimal, code: str) -> tuple[Portion, ...]:
    return tuple(portions(part, payers, price, code))


@lru_cache(maxsize=10_000)
def _days(company: Company, day: date) -> Row:
    """The days of an actual, which is written when the work is approved."""
    begins = local_midnight(day, company.zone)
    stamp, approved = instant_text(begins), instant_text(begins + _APPROVED_AFTER)
    names = ("documentdate", "startdatetime", "enddatetime", "accountingdate", "exchangeratedate")
    written = {"createdon": approved, "modifiedon": approved}
    return {f"msdyn_{name}": stamp for name in names} | written


@lru_cache(maxsize=10)
def _lending(owner: Company) -> Row:
    """Whose resource it is."""
    return {
        "msdyn_resourcingcompany": owner.company_id,
        "msdyn_resourceorganizationalunitid": owner.unit_id,
    }


@lru_cache(maxsize=1)
def _journal_columns() -> frozenset[str]:
    """What a journal line says of its actual."""
    tables = load_dataverse()
    return frozenset(tables[LINE].columns) & frozenset(tables[ACTUAL].columns)


_price = lru_cache(maxsize=1_000)(role_price)
_role = lru_cache(maxsize=100)(role_id)
_category = lru_cache(maxsize=100)(category_id)
_resource = lru_cache(maxsize=100_000)(resource_id)
_currency = lru_cache(maxsize=10)(currency_id)
_UNITS = {symbol: unit_id(symbol) for symbol in ("hr", "ea")}
