"""Contracts, their funding sources and their lines."""

from datetime import timedelta
from decimal import Decimal

from sandbox.data import awkward
from sandbox.data.engagements import Engagement, Line, engagements
from sandbox.data.firm import COMPANIES, TODAY, Row, currency_id, guid, local_midnight
from sandbox.data.parties import dataverse_customers

_ITEM_BASED = 192350000
_WORK_BASED = 192350001
_PSA_STATES = ((192350002, 192350003), (192350000, 192350000), (192350001, 192350002))
"""Contract status and its reason: active and confirmed, draft, on hold."""

CONFIRMED = _PSA_STATES[0]
"""Contract status and its reason of a contract that work is done on."""

_TIME_AND_MATERIAL = 192350000
_FIXED_PRICE = 192350001
_PROJECT_LINE = 690970000
_FIELD_SERVICE_LINE = 690970001
_PROJECT_SERVICE = 5  # salesorderdetail.producttypecode
_PRODUCT = 1
_PAYMENT_TERMS = (1, 3, 4)
_TERMS_TEXT = ("Net30", "Net45", "Net60")


def orders() -> list[Row]:
    """Rows of salesorder: the project contracts, and item-based orders that no map sends."""
    states = len(_PSA_STATES)
    projects = (order_row(it, place, _PSA_STATES[place % states]) for place, it in enumerate(engagements()))
    return [*projects, *_item_orders()]


def order_lines() -> list[Row]:
    """Rows of salesorderdetail: contract lines, a field-service line, lines of item-based orders."""
    contract_lines = [line_row(it, line) for it in engagements() for line in it.lines]
    return [*contract_lines, _field_service_line(engagements()[0]), *_item_lines()]


def funding_sources() -> list[Row]:
    """Rows of msdyn_projectcontractsplitbillingrule: one a contract and customer (R103)."""
    return [row for engagement in engagements() for row in funding_source_rows(engagement)]


def funding_source_rows(engagement: Engagement) -> list[Row]:
    """Return the rows of msdyn_projectcontractsplitbillingrule of one contract."""
    rows: list[Row] = []
    for place, (customer, share) in enumerate(
        zip(engagement.customers, shares(len(engagement.customers)), strict=True)
    ):
        number = f"FS-{engagement.number[4:9]}-{place + 1}"
        rows.append(
            {
                "msdyn_projectcontractsplitbillingruleid": funding_source_id(engagement, place),
                "msdyn_name": f"{number} {customer.account}",
                "msdyn_fundingsourceid": number,
                "msdyn_projectcontract": engagement.order_id,
                "msdyn_customer": customer.account_id,
                "msdyn_splitpercentage": share,
                "msdyn_isprimary": place == 0,
                "msdyn_isrounding": place == 0,
                "msdyn_paymentterms": _TERMS_TEXT[place % len(_TERMS_TEXT)],
                "msdyn_billtoname": None if place == 2 else customer.name[:100],
                "msdyn_company": engagement.company.company_id,
            }
        )
    return rows


def funding_source_id(engagement: Engagement, place: int) -> str:
    """Return the id of the row of a contract's customer, by its place among them."""
    return guid("funding_source", f"FS-{engagement.number[4:9]}-{place + 1}")


def shares(count: int) -> list[Decimal]:
    """Split a hundred per cent evenly; the first, the rounding customer, takes the rest."""
    share = (Decimal(100) / count).quantize(Decimal("0.01"))
    return [100 - share * (count - 1), *[share] * (count - 1)]


def order_row(engagement: Engagement, place: int, status: tuple[int, int]) -> Row:
    """Return the row of salesorder of a contract, with its status and the reason for it."""
    state, reason = status
    customer = engagement.customers[0].account_id
    return {
        "salesorderid": engagement.order_id,
        "ordernumber": engagement.number,
        "name": engagement.name,
        "description": _description(place),
        "msdyn_ordertype": _WORK_BASED,
        "msdyn_psastate": state,
        "msdyn_psastatusreason": reason,
        "msdyn_company": engagement.company.company_id,
        "msdyn_contractorganizationalunitid": engagement.company.unit_id,
        "transactioncurrencyid": currency_id(engagement.currency),
        "customerid": customer,
        "accountid": customer,
        "paymenttermscode": None if place % 7 == 6 else _PAYMENT_TERMS[place % len(_PAYMENT_TERMS)],
        "ispricelocked": False,
        "requestdeliveryby": local_midnight(engagement.start, engagement.company.zone),
        "totalamount": engagement.total,
    }


def _description(place: int) -> str | None:
    """Null, an empty text, the longest, or a plain one."""
    if place % 10 == 0:
        return None
    return {1: "", 2: awkward.longest(2000)}.get(place, f"Statement of work {place + 1}\nSigned.")


def line_row(engagement: Engagement, line: Line) -> Row:
    """Return the row of salesorderdetail of a contract line."""
    currency = currency_id(engagement.currency)
    text = (
        f"{'Fixed price' if line.fixed_price else 'Time and material'} {line.sequence} of {engagement.number}"
    )
    if line.sequence == 2:
        text = engagement.name
    return {
        "salesorderdetailid": line.line_id,
        "salesorderid": engagement.order_id,
        "sequencenumber": line.sequence,
        "lineitemnumber": line.sequence,
        "msdyn_contractlinenumber": line.number,
        "salesorderdetailname": text[:100],
        "productdescription": text,
        "producttypecode": _PROJECT_SERVICE,
        "msdyn_linetype": _PROJECT_LINE,
        "msdyn_billingmethod": _FIXED_PRICE if line.fixed_price else _TIME_AND_MATERIAL,
        "msdyn_invoicescheduletype": 192350000,
        "msdyn_project": None if line.project is None else line.project.project_id,
        "msdyn_includetime": True,
        "msdyn_includeexpense": line.sequence != 2,
        "msdyn_includematerial": line.sequence == 1,
        "msdyn_includefee": not line.fixed_price,
        "msdyn_billingstartdate": local_midnight(engagement.start, engagement.company.zone),
        "transactioncurrencyid": currency,
        "quantity": Decimal(1),
        "priceperunit": line.amount,
        "extendedamount": line.amount,
        "msdyn_contractamount": line.amount,
    }


def _field_service_line(engagement: Engagement) -> Row:
    number = f"FSL-{engagement.number[4:9]}"
    return {
        "salesorderdetailid": guid("salesorderdetail", number),
        "salesorderid": engagement.order_id,
        "sequencenumber": 100,
        "msdyn_contractlinenumber": number,
        "salesorderdetailname": "Field service",
        "productdescription": "Field service, on no project",
        "producttypecode": _PRODUCT,
        "msdyn_linetype": _FIELD_SERVICE_LINE,
        "transactioncurrencyid": currency_id(engagement.currency),
        "quantity": Decimal(1),
        "extendedamount": Decimal(250),
    }


def _item_orders() -> list[Row]:
    return [
        {
            "salesorderid": guid("salesorder", f"item/{company.code}"),
            "ordernumber": f"SO-{company.code}-00001",
            "name": f"Cables for {company.city}",
            "msdyn_ordertype": _ITEM_BASED,
            "msdyn_company": company.company_id,
            "transactioncurrencyid": currency_id(company.currency),
            "customerid": dataverse_customers(company)[0].account_id,
            "ispricelocked": False,
            "requestdeliveryby": local_midnight(TODAY + timedelta(days=14), company.zone),
            "totalamount": Decimal("120.50"),
        }
        for company in COMPANIES
    ]


def _item_lines() -> list[Row]:
    return [
        {
            "salesorderdetailid": guid("salesorderdetail", f"item/{company.code}"),
            "salesorderid": guid("salesorder", f"item/{company.code}"),
            "sequencenumber": 1,
            "salesorderdetailname": "Cable, 2 m",
            "producttypecode": _PRODUCT,
            "transactioncurrencyid": currency_id(company.currency),
            "quantity": Decimal("12.05"),
            "priceperunit": Decimal(10),
            "extendedamount": Decimal("120.50"),
        }
        for company in COMPANIES
    ]
