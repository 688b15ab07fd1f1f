"""Draft invoices: what comes on them, and what is left when they go (R401, R405)."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import event

from sandbox.dataverse.api import open_api
from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import (
    BillingStatus,
    BillingType,
    InvoiceStatus,
    NteStatus,
    TransactionClass,
    TransactionType,
)
from sandbox.rules.jobs import Job, JobRefusedError
from sandbox.store import Store
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import (
    BILLED,
    CREATED,
    DETAIL,
    UNBILLED,
    confirm,
    eight_hours,
    hours,
    remove,
)


def unbilled(desk: Desk) -> list[int]:
    return [it["msdyn_billingstatus"] for it in desk.find("msdyn_actual", msdyn_transactiontypecode=UNBILLED)]


def test_r401_an_invoice_makes_no_actual_and_takes_what_is_unbilled(firm: Firm) -> None:
    contract = firm.contract("C-1")
    hours(firm, firm.project("P-1", contract))
    before = len(firm.desk.find("msdyn_actual"))
    answer = create_invoice(firm.desk, {"contract": contract, "until": "2026-11-01"})
    assert len(firm.desk.find("msdyn_actual")) == before
    assert unbilled(firm.desk) == [CREATED]
    assert (answer["created"], answer["lines"]) == (1, 1)
    invoice = firm.desk.get("invoice", answer["invoices"][0])
    assert invoice["invoicenumber"] == answer["numbers"][0]
    assert invoice["invoicenumber"].startswith("INV-00001-")
    assert invoice["msdyn_projectinvoicestatus"] == InvoiceStatus.DRAFT
    assert invoice["msdyn_company"] == firm.companies["USPM"]
    assert (invoice["msdyn_invoicedate"], invoice["totalamount"]) == ("2026-11-01", 1600)
    [line] = firm.desk.find("invoicedetail", invoiceid=invoice["invoiceid"])
    assert (line["extendedamount"], line["msdyn_chargeableamount"]) == (1600, 1600)
    assert create_invoice(firm.desk, {"contract": contract})["created"] == 0


def test_work_after_the_last_day_waits(firm: Firm) -> None:
    contract = firm.contract("C-1")
    hours(firm, firm.project("P-1", contract))
    assert create_invoice(firm.desk, {"contract": contract, "until": "2026-10-31"})["created"] == 0
    with pytest.raises(JobRefusedError, match="'until' must be a date like 2026-10-31"):
        create_invoice(firm.desk, {"contract": contract, "until": "31.10.2026"})
    with pytest.raises(JobRefusedError, match="needs the parameter 'contract'"):
        create_invoice(firm.desk, {})


def test_r310_what_is_over_its_limit_or_not_marked_ready_is_not_invoiced(firm: Firm) -> None:
    contract = firm.contract("C-1")
    project = firm.project("P-1", contract)
    hours(firm, project)
    hours(firm, project, quantity="4")
    over, ready = firm.desk.find("msdyn_actual", msdyn_transactiontypecode=UNBILLED)
    firm.desk.update("msdyn_actual", over["msdyn_actualid"], {"msdyn_ntestatus": NteStatus.FAILED})
    assert create_invoice(firm.desk, {"contract": contract, "ready_only": True})["created"] == 0
    status = {"msdyn_billingstatus": BillingStatus.READY_TO_INVOICE}
    firm.desk.update("msdyn_actual", ready["msdyn_actualid"], status)
    assert create_invoice(firm.desk, {"contract": contract, "ready_only": True})["lines"] == 1
    assert create_invoice(firm.desk, {"contract": contract})["created"] == 0


def test_each_customer_gets_an_invoice_of_their_own(firm: Firm) -> None:
    contract = firm.contract("C-1", {"A": "60", "B": "40"})
    hours(firm, firm.project("P-1", contract))
    answer = create_invoice(firm.desk, {"contract": contract})
    invoices = [firm.desk.get("invoice", row_id) for row_id in answer["invoices"]]
    assert [it["totalamount"] for it in invoices] == [960, 640]
    payers = firm.desk.by_id(
        "msdyn_projectcontractsplitbillingrule", (it["msdyn_contractcustomer"] for it in invoices)
    )
    assert [it["msdyn_customer"] for it in payers.values()] == [it["accountid"] for it in invoices]


def test_only_chargeable_work_is_owed(firm: Firm) -> None:
    contract = firm.contract("C-1")
    project = firm.project("P-1", contract)
    hours(firm, project)
    hours(firm, project, quantity="2", billing_type=BillingType.COMPLIMENTARY)
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    assert firm.desk.get("invoice", invoice)["totalamount"] == 1600
    [line] = firm.desk.find("invoicedetail")
    assert (line["msdyn_chargeableamount"], line["msdyn_complimentaryamount"]) == (1600, 400)
    free = firm.desk.first(DETAIL, msdyn_billingtype=BillingType.COMPLIMENTARY)
    assert free is not None
    as_user(
        firm.desk,
        DETAIL,
        free["msdyn_invoicelinetransactionid"],
        {"msdyn_billingtype": BillingType.CHARGEABLE},
    )
    assert firm.desk.get("invoice", invoice)["totalamount"] == 2000
    [line] = firm.desk.find("invoicedetail")
    assert (line["msdyn_chargeableamount"], line["msdyn_complimentaryamount"]) == (2000, 0)


def test_a_removed_detail_goes_back_to_the_backlog(firm: Firm) -> None:
    billed = eight_hours(firm)
    remove(firm.desk, DETAIL, billed.detail)
    assert unbilled(firm.desk) == [BillingStatus.READY_TO_INVOICE]
    assert firm.desk.get("invoice", billed.invoice)["totalamount"] == 0


def test_r407_a_draft_can_be_deleted_a_confirmed_invoice_cannot(firm: Firm) -> None:
    billed = eight_hours(firm)
    remove(firm.desk, "invoice", billed.invoice)
    assert unbilled(firm.desk) == [BillingStatus.READY_TO_INVOICE]
    assert firm.desk.find(DETAIL) == firm.desk.find("invoicedetail") == []
    [again] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    with pytest.raises(ApiError, match="is posted in Finance, not here"):
        as_user(firm.desk, "invoice", again, {"msdyn_projectinvoicestatus": InvoiceStatus.POSTED})
    confirm(firm.desk, again)
    for table, row in (("invoice", again), ("invoicedetail", firm.desk.find("invoicedetail")[0])):
        with pytest.raises(ApiError, match="confirmed"):
            remove(firm.desk, table, row if isinstance(row, str) else row["invoicedetailid"])


def test_a_thousand_lines_are_billed_in_few_statements(firm: Firm) -> None:
    """Not row by row: counted, since time differs from machine to machine."""
    contract = firm.contract("C-1")
    hours(firm, firm.project("P-1", contract))
    [work] = firm.desk.find("msdyn_actual", msdyn_transactiontypecode=UNBILLED)
    own = {"msdyn_actualid", "msdyn_actualimportid", "versionnumber"}
    copy = {name: value for name, value in work.items() if name not in own}
    firm.desk.create_many("msdyn_actual", [copy] * 999)
    statements = []

    def count(*_: object) -> None:
        statements.append(1)

    event.listen(firm.desk.unit.connection, "before_cursor_execute", count)
    answer = create_invoice(firm.desk, {"contract": contract})
    confirm(firm.desk, answer["invoices"][0])
    event.remove(firm.desk.unit.connection, "before_cursor_execute", count)
    assert answer["lines"] == 1000
    assert firm.desk.get("invoice", answer["invoices"][0])["totalamount"] == Decimal(1_600_000)
    assert len(firm.desk.find("msdyn_actual", msdyn_transactiontypecode=BILLED)) == 1000
    assert len(statements) < 300


def test_invoices_are_created_confirmed_and_corrected_by_jobs(
    sandbox_store: Store, jobs: dict[str, Job]
) -> None:
    with sandbox_store.write() as unit:
        desk = Desk(unit, open_api(sandbox_store).writer)
        dollar = {"isocurrencycode": "USD", "currencyname": "US Dollar", "currencysymbol": "$"}
        currency = desk.create("transactioncurrency", dollar | {"exchangerate": Decimal(1)})
        contract = desk.create("salesorder", {"ordernumber": "C-1", "transactioncurrencyid": currency})
        work = {
            "msdyn_transactiontypecode": UNBILLED,
            "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
            "msdyn_billingtype": BillingType.CHARGEABLE,
            "msdyn_salescontract": contract,
            "msdyn_quantity": Decimal(8),
            "msdyn_price": Decimal(200),
            "msdyn_amount": Decimal(1600),
            "msdyn_documentdate": "2026-11-01T12:00:00Z",
            "transactioncurrencyid": currency,
        }
        desk.create("msdyn_actual", work)
    [invoice] = jobs["create-invoice"]({"contract": contract})["invoices"]
    assert jobs["confirm-invoice"]({"invoices": [invoice]}) == {"confirmed": 1, "errors": []}
    answer = jobs["correct-invoice"]({"invoice": invoice})
    assert json.loads(json.dumps(answer))["lines"] == 1
    with pytest.raises(JobRefusedError, match="There is no salesorder with the id"):
        jobs["create-invoice"]({"contract": invoice})


def test_imported_sales_without_a_date_are_of_the_day_they_came(firm: Firm) -> None:
    contract = firm.contract("C-1")
    sales = {
        "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
        "msdyn_transactionclassification": TransactionClass.TIME,
        "msdyn_salescontract": contract,
        "msdyn_amount": Decimal(1600),
    }
    firm.desk.create("msdyn_actual", sales)
    assert create_invoice(firm.desk, {"contract": contract, "until": "2026-11-01"})["lines"] == 0
    assert create_invoice(firm.desk, {"contract": contract, "until": "2026-11-02"})["lines"] == 1
