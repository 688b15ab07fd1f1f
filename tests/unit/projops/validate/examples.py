"""For each written expectation what a row must hold to keep it, and to break it.

By map, leg, rule and columns: what differs from the leg's first golden row. A good row is one that the
expectation is judged on.
"""

from collections.abc import Mapping
from typing import Any

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
Values = Mapping[str, Any]
Example = tuple[str, str, str, str, Values, Values]
COST, CONTRACT, UNBILLED, BILLED, RESOURCING = 192350000, 192350004, 192350005, 192350006, 192350007
TIME, MATERIAL, RETAINER = 192350000, 192350002, 192350005
TIME_AND_MATERIAL, FIXED_PRICE = 192350000, 192350001
PRICED = {"msdyn_amountmethod": 192350000}

ACTUALS: list[tuple[str, str, Values, Values]] = [
    ("transaction_type", "msdyn_transactiontypecode", {}, {"msdyn_transactiontypecode": None}),
    ("transaction_type", "msdyn_transactiontypecode", {}, {"msdyn_transactiontypecode": CONTRACT}),
    (
        "amount",
        "msdyn_quantity, msdyn_price, msdyn_amount",
        {**PRICED, "msdyn_quantity": "-8", "msdyn_price": "200", "msdyn_amount": "-1600"},
        {**PRICED, "msdyn_quantity": "-8", "msdyn_price": "200", "msdyn_amount": "1600"},
    ),
    ("transaction_date", "msdyn_documentdate", {}, {"msdyn_documentdate": None}),
    (
        "transaction_dates",
        "msdyn_enddatetime, msdyn_startdatetime",
        {"msdyn_startdatetime": "2026-10-01T08:00:00Z", "msdyn_enddatetime": "2026-10-01T08:00:00Z"},
        {"msdyn_startdatetime": "2026-10-01T08:00:01Z", "msdyn_enddatetime": "2026-10-01T08:00:00Z"},
    ),
    (
        "sales_contract",
        "msdyn_salescontract.ordernumber",
        {"msdyn_transactiontypecode": UNBILLED, "msdyn_salescontract.ordernumber": "ORD-1"},
        {"msdyn_transactiontypecode": UNBILLED, "msdyn_salescontract.ordernumber": None},
    ),
    (
        "billed_invoice",
        "msdyn_invoice.invoicenumber",
        {"msdyn_transactiontypecode": BILLED, "msdyn_invoice.invoicenumber": "INV-1"},
        {"msdyn_transactiontypecode": BILLED, "msdyn_invoice.invoicenumber": None},
    ),
    (
        "lending_company",
        "msdyn_resourcingcompany.cdm_companycode",
        {"msdyn_transactiontypecode": RESOURCING, "msdyn_resourcingcompany.cdm_companycode": "GBPM"},
        {"msdyn_transactiontypecode": RESOURCING, "msdyn_resourcingcompany.cdm_companycode": None},
    ),
]  # fmt: skip


def _estimates(map_id: str) -> list[Example]:
    dates = "msdyn_enddatetime, msdyn_startdatetime"
    day, before = "2026-10-02T00:00:00Z", "2026-10-01T00:00:00Z"
    same = {"msdyn_startdatetime": day, "msdyn_enddatetime": day}
    side, quantity = "msdyn_transactiontypecode", "msdyn_quantity"
    return [
        (map_id, FORTH, "estimate_side", side, {side: UNBILLED}, {side: CONTRACT}),
        (map_id, FORTH, "estimate_dates", dates, same, {**same, "msdyn_enddatetime": before}),
        (map_id, FORTH, "estimate_quantity", quantity, {quantity: "0"}, {quantity: "-1"}),
        (map_id, FORTH, "estimate_price", "msdyn_price", {"msdyn_price": "0"}, {"msdyn_price": "-0.01"}),
    ]


def _changed(map_id: str, leg: str, rule: str, column: str, good: Any, bad: Any) -> Example:
    return map_id, leg, rule, column, {column: good}, {column: bad}


PRODUCT = "msdyn_product.msdyn_productnumber"
PARENT = "msdyn_parenttask.msdyn_projecttasknumber"
CURRENCIES = "FromCurrencyCode, ToCurrencyCode"
CLASSES = dict.fromkeys(("msdyn_includeexpense", "msdyn_includematerial", "msdyn_includefee"), False)

EXAMPLES: list[Example] = [
    *(("actuals", FORTH, *each) for each in ACTUALS),
    _changed("actuals", BACK, "posted_amount", "AccountingAmount", "-12.5", None),
    _changed("actuals", BACK, "posted_rate", "ExchangeRate", "0.8", "-0.8"),
    _changed("bookable_resources", FORTH, "resource_name", "name", "Ann", " "),
    _changed("bookable_resources", FORTH, "resource_worker", "msdyn_worker.cdm_workernumber", "000001", None),
    _changed("companies", BACK, "company_code", "LegalEntityId", "uspm", "US-1"),
    _changed("companies", BACK, "company_name", "Name", "Contoso", "  "),
    _changed("contract_headers", FORTH, "contract_name", "name", "Rocket", " "),
    _changed("contract_headers", FORTH, "contract_number", "ordernumber", "ORD 1", "ORD-1 "),
    _changed("contract_headers", FORTH, "contract_terms", "paymenttermscode", 1, None),
    _changed("contract_lines", FORTH, "line_number", "sequencenumber", 1, 0),
    (
        "contract_lines", FORTH, "line_value", "extendedamount",
        {"msdyn_billingmethod": FIXED_PRICE, "msdyn_contractamount": None, "extendedamount": "0"},
        {"msdyn_billingmethod": FIXED_PRICE, "msdyn_contractamount": None, "extendedamount": None},
    ),
    (
        "contract_lines", FORTH, "line_project", "msdyn_project.msdyn_projectnumber",
        {"msdyn_billingmethod": FIXED_PRICE, "msdyn_project.msdyn_projectnumber": "PRJ-1"},
        {"msdyn_billingmethod": FIXED_PRICE, "msdyn_project.msdyn_projectnumber": None},
    ),
    (
        "contract_lines", FORTH, "line_classes", "msdyn_includetime",
        {**CLASSES, "msdyn_includetime": True},
        {**CLASSES, "msdyn_includetime": False},
    ),
    _changed("currencies", BACK, "currency_code", "CurrencyCode", "SEK", "sek"),
    _changed("customer_invoices", BACK, "posting_day", "CustomerInvoiceDate", "2026-10-31", None),
    _changed("customer_invoices", BACK, "invoice_amount", "InvoiceAmount", "-100", None),
    _changed("customers", BACK, "customer_name", "OrganizationName", " O'Brien ", " "),
    _changed("customers", BACK, "customer_currency", "SalesCurrencyCode", "USD", None),
    _changed("customers", FORTH, "customer_name", "name", " O'Brien ", "   "),
    _changed("customers", FORTH, "customer_currency", "transactioncurrencyid.isocurrencycode", "USD", None),
    (
        "exchange_rate_pairs", BACK, "two_currencies", CURRENCIES,
        {"FromCurrencyCode": "EUR", "ToCurrencyCode": "USD"},
        {"FromCurrencyCode": "USD", "ToCurrencyCode": "USD"},
    ),
    _changed("exchange_rate_types", BACK, "type_name", "Name", "Default rate", "Default "),
    _changed("exchange_rates", BACK, "rate_positive", "Rate", "0.0000000001", "0"),
    (
        "exchange_rates", BACK, "rate_validity", "ValidTo, ValidFrom",
        {"ValidFrom": "2026-01-01", "ValidTo": "2026-01-01"},
        {"ValidFrom": "2026-01-02", "ValidTo": "2026-01-01"},
    ),
    (
        "exchange_rates", BACK, "two_currencies", CURRENCIES,
        {"FromCurrencyCode": "EUR", "ToCurrencyCode": "USD"},
        {"FromCurrencyCode": "EUR", "ToCurrencyCode": "EUR"},
    ),
    _changed("expense_categories", BACK, "expense_class", "TransactionCategoryId", "TCN-1", None),
    *_estimates("expense_estimates"),
    (
        "expenses", BACK, "expense_amount", "NetAmount, TaxAmount, Amount",
        {"NetAmount": "-0.1", "TaxAmount": "-0.2", "Amount": "-0.3"},
        {"NetAmount": "0.1", "TaxAmount": "0.2", "Amount": "0.31"},
    ),
    (
        "expenses", BACK, "expense_companies", "ReferenceDataAreaId, InterCompanyLE",
        {"InterCompanyLE": "gbpm", "ReferenceDataAreaId": "uspm"},
        {"InterCompanyLE": "uspm", "ReferenceDataAreaId": "uspm"},
    ),
    _changed("expenses", BACK, "expense_type", "BillingType", "Chargeable", None),
    _changed("funding_sources", FORTH, "funding_number", "msdyn_fundingsourceid", "FS 1", " FS-1"),
    _changed("funding_sources", FORTH, "funding_primary", "msdyn_isprimary", False, None),
    _changed("hour_estimates", FORTH, "assigned_hours", "msdyn_hours", "0", "-8"),
    _changed("hour_estimates", FORTH, "assignment_date", "msdyn_fromdate", "2026-10-01T00:00:00Z", None),
    (
        "invoice_proposals", FORTH, "contract_currency",
        "transactioncurrencyid, salesorderid.transactioncurrencyid",
        {"transactioncurrencyid": "a", "salesorderid.transactioncurrencyid": "a"},
        {"transactioncurrencyid": "a", "salesorderid.transactioncurrencyid": "b"},
    ),
    _changed("invoice_proposals", FORTH, "invoice_day", "msdyn_invoicedate", "2026-10-31", None),
    _changed("invoice_proposals", FORTH, "invoice_number", "invoicenumber", "INV 1", "INV-1 "),
    _changed("ledgers", BACK, "accounting_currency", "AccountingCurrency", "eur", "EU"),
    _changed("ledgers", BACK, "rate_type", "ExchangeRateType", "Default", None),
    *_estimates("material_estimates"),
    _changed("material_estimates", FORTH, "estimate_product", PRODUCT, "P-1", None),
    _changed("material_usage", BACK, "usage_date", "PackingSlipDate", "2026-10-31", None),
    _changed("material_usage", BACK, "usage_price", "CostPrice", "0", "-1"),
    _changed("milestone_headers", FORTH, "header_amount", "msdyn_amount", "0", "-5000"),
    (
        "milestone_headers", FORTH, "header_remaining",
        "msdyn_invoicedtodate, msdyn_remainingamount, msdyn_amount",
        {},
        {"msdyn_remainingamount": "3749.4999"},
    ),
    _changed("milestone_headers", FORTH, "header_percent", "msdyn_nextinvoicepercent", "100", "100.01"),
    _changed("milestone_headers", FORTH, "header_percent", "msdyn_percentinvoicedtodate", "0", "-1"),
    _changed("milestones", FORTH, "milestone_amount", "msdyn_amount", "0", "-0.01"),
    _changed("milestones", FORTH, "milestone_project", "msdyn_contractlineid.msdyn_project", "a", None),
    _changed("milestones", FORTH, "milestone_date", "msdyn_milestonedate", "2026-10-31", None),
    _changed("products", BACK, "product_price", "SalesPrice", "0", "-1"),
    _changed("products", BACK, "product_cost", "UnitCost", "0", "-1"),
    _changed("products", BACK, "product_cost", "PurchasePrice", "0", "-1"),
    _changed("products", BACK, "product_unit", "SalesUnitSymbol", "ea", None),
    (
        "project_tasks", FORTH, "task_parent", f"msdyn_projecttasknumber, {PARENT}",
        {PARENT: "TSK-1", "msdyn_projecttasknumber": "TSK-2"},
        {PARENT: "TSK-2", "msdyn_projecttasknumber": "TSK-2"},
    ),
    _changed("project_tasks", FORTH, "task_place", "msdyn_wbsid", "1.12.3", "1..3"),
    (
        "projects", FORTH, "project_dates", "msdyn_scheduledend, msdyn_scheduledstart",
        {"msdyn_scheduledstart": "2026-10-01T00:00:00Z", "msdyn_scheduledend": "2026-10-01T00:00:00Z"},
        {"msdyn_scheduledstart": "2026-10-01T00:00:00Z", "msdyn_scheduledend": "2026-09-30T00:00:00Z"},
    ),
    (
        "projects", FORTH, "actual_dates", "msdyn_actualend, msdyn_actualstart",
        {"msdyn_actualstart": "2026-10-01T00:00:00Z", "msdyn_actualend": "2026-10-01T00:00:00Z"},
        {"msdyn_actualstart": "2026-10-01T00:00:00Z", "msdyn_actualend": "2026-09-30T00:00:00Z"},
    ),
    _changed("projects", FORTH, "project_number", "msdyn_projectnumber", "PRJ 1", " PRJ-1"),
    (
        "projects", FORTH, "project_customer", "msdyn_customer.accountnumber",
        {"msdyn_salesorderid.ordernumber": "ORD-1", "msdyn_customer.accountnumber": "C-1"},
        {"msdyn_salesorderid.ordernumber": "ORD-1", "msdyn_customer.accountnumber": None},
    ),
    _changed("resource_roles", FORTH, "role_name", "name", "Tester", " "),
    _changed("subcontract_lines", FORTH, "line_class", "msdyn_transactionclassification", TIME, RETAINER),
    (
        "subcontract_lines", FORTH, "line_product", PRODUCT,
        {"msdyn_transactionclassification": MATERIAL, "msdyn_writeinproduct": None, PRODUCT: "P-1"},
        {"msdyn_transactionclassification": MATERIAL, "msdyn_writeinproduct": None, PRODUCT: None},
    ),
    _changed("subcontract_lines", FORTH, "line_quantity", "msdyn_quantity", "0", "-1"),
    _changed("subcontract_lines", FORTH, "line_price", "msdyn_price", "0", "-1"),
    _changed("subcontracts", FORTH, "order_date", "msdyn_date", "2026-10-31", None),
    _changed("subcontracts", FORTH, "order_number", "msdyn_subcontractnumber", "SC 1", "SC-1 "),
    _changed("transaction_categories", FORTH, "category_name", "msdyn_name", "Training", " "),
    _changed(
        "transaction_categories", FORTH, "category_number", "msdyn_transactioncategorynumber",
        "TCN-0000001000-D3B43", "TCN-0000001000-D3B43-1",
    ),
    (
        "transaction_connections", FORTH, "two_actuals", "msdyn_transaction1, msdyn_transaction2",
        {},
        {"msdyn_transaction1": "a", "msdyn_transaction2": "a"},
    ),
    _changed("transaction_connections", FORTH, "connection_roles", "msdyn_transaction1role", "Cost", None),
    _changed("transaction_connections", FORTH, "connection_roles", "msdyn_transaction2role", "Cost", None),
    _changed("units", BACK, "unit_symbol", "UnitSymbol", "sq m", "h "),
    _changed("units", BACK, "unit_precision", "DecimalPrecision", 10, 11),
    _changed("vendor_invoice_lines", BACK, "invoice_date", "TransDate", "2026-10-31", None),
    (
        "vendor_invoice_lines", BACK, "line_product", "DisplayProductNumber",
        {"CategoryType": "Item", "DisplayProductNumber": "P-1"},
        {"CategoryType": "Item", "DisplayProductNumber": None},
    ),
    (
        "vendor_invoice_lines", BACK, "line_amount", "QtyReceiveNow, PurchPrice, LineAmount",
        {"QtyReceiveNow": "-2", "PurchPrice": "0.05", "LineAmount": "-0.1"},
        {"QtyReceiveNow": "2", "PurchPrice": "100", "LineAmount": "190"},
    ),
    _changed("vendor_invoice_lines", BACK, "line_quantity", "QtyReceiveNow", "-1", None),
    _changed("vendor_invoices", BACK, "vendor_invoice_date", "TransDate", "2026-10-31", None),
    _changed("vendor_invoices", FORTH, "confirmation", "statuscode", 192350002, None),
    _changed("vendor_invoices_v1", BACK, "vendor_invoice_date", "TransDate", "2026-10-31", None),
    _changed("vendors", BACK, "vendor_name", "VendorOrganizationName", "Büro GmbH", " "),
    _changed("vendors", BACK, "vendor_currency", "CurrencyCode", "EUR", None),
    _changed("vendors", FORTH, "vendor_name", "msdyn_name", "Büro GmbH", " "),
    _changed("vendors", FORTH, "vendor_group", "msdyn_vendorgroup", "10", None),
    _changed("workers", BACK, "worker_name", "Name", "Ann Lee", None),
    _changed("workers", BACK, "personnel_number", "PersonnelNumber", "000 001", "000001 "),
]  # fmt: skip
