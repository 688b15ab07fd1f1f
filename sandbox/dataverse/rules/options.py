"""Values of the option sets that Project Operations' rules speak of, by their public names.

Values are those of the published option sets [D]; where a docstring says PROPOSED the documentation
names the member but not its value.
"""

from enum import IntEnum


class TransactionType(IntEnum):
    """msdyn_transactiontypecode."""

    COST = 192350000
    PROJECT_CONTRACT = 192350004
    UNBILLED_SALES = 192350005
    BILLED_SALES = 192350006
    RESOURCING_UNIT_COST = 192350007
    INTERORGANIZATIONAL_SALES = 192350008


class TransactionClass(IntEnum):
    """msdyn_transactionclassification; the value of RETAINER is PROPOSED."""

    TIME = 192350000
    EXPENSE = 192350001
    MATERIAL = 192350002
    MILESTONE = 192350003
    FEE = 192350004
    RETAINER = 192350005
    TAX = 690970002


class BillingType(IntEnum):
    """msdyn_billingtype; empty means not specified."""

    NON_CHARGEABLE = 192350000
    CHARGEABLE = 192350001
    COMPLIMENTARY = 192350002
    NOT_AVAILABLE = 192350003


class BillingMethod(IntEnum):
    """msdyn_billingmethod of a contract line."""

    TIME_AND_MATERIAL = 192350000
    FIXED_PRICE = 192350001


class BillingStatus(IntEnum):
    """msdyn_billingstatus of an actual."""

    UNBILLED_SALES_CREATED = 192350000
    CUSTOMER_INVOICE_CREATED = 192350001
    CUSTOMER_INVOICE_POSTED = 192350002
    CANCELED = 192350003
    READY_TO_INVOICE = 192350004


class AdjustmentStatus(IntEnum):
    """msdyn_adjustmentstatus of an actual; empty means open."""

    IN_PROCESS = 192350000
    ADJUSTED = 192350001
    UNADJUSTABLE = 192350002


class AmountMethod(IntEnum):
    """msdyn_amountmethod: how an amount follows from the other columns."""

    QUANTITY_BY_PRICE = 192350000
    FIXED_PRICE = 192350001
    BASIS_QUANTITY_BY_PRICE = 192350002
    BASIS_AMOUNT_BY_PERCENT = 192350003


class CustomerType(IntEnum):
    """msdyn_customertype and msdyn_vendortype."""

    ACCOUNT = 192350001
    CONTACT = 192350002


class NteStatus(IntEnum):
    """msdyn_ntestatus: what became of the check against a not-to-exceed limit."""

    NOT_EVALUATED = 192350000
    PASSED = 192350001
    FAILED = 192350002


class MilestoneStatus(IntEnum):
    """msdyn_invoicestatus of a milestone."""

    NOT_READY = 192350000
    READY = 192350001
    INVOICE_CREATED = 192350002
    INVOICE_POSTED = 192350003


class OrderType(IntEnum):
    """msdyn_ordertype of a salesorder or an invoice."""

    ITEM_BASED = 192350000
    WORK_BASED = 192350001


class LineType(IntEnum):
    """msdyn_linetype of a contract line."""

    PROJECT_SERVICE = 690970000
    FIELD_SERVICE = 690970001


class PsaState(IntEnum):
    """msdyn_psastate of a project contract."""

    DRAFT = 192350000
    ON_HOLD = 192350001
    ACTIVE = 192350002
    CLOSED = 192350003


class PsaStatusReason(IntEnum):
    """msdyn_psastatusreason of a project contract."""

    DRAFT = 192350000
    IN_REVIEW = 192350001
    ON_HOLD = 192350002
    CONFIRMED = 192350003
    COMPLETED = 192350004
    LOST = 192350005
    ABANDONED = 192350006


class InvoiceStatus(IntEnum):
    """msdyn_projectinvoicestatus of a proforma invoice; the value of POSTED is PROPOSED."""

    DRAFT = 192350000
    IN_REVIEW = 192350001
    CONFIRMED = 192350002
    PAID = 192350003
    POSTED = 192350004


class EntryStatus(IntEnum):
    """msdyn_entrystatus of a time entry."""

    DRAFT = 192350000
    RETURNED = 192350001
    APPROVED = 192350002
    SUBMITTED = 192350003
    RECALL_REQUESTED = 192350004


class TimeEntryType(IntEnum):
    """msdyn_type of a time entry."""

    WORK = 192350000
    ABSENCE = 192350001
    VACATION = 192350002


class ExpenseStatus(IntEnum):
    """msdyn_expensestatus."""

    DRAFT = 192350000
    SUBMITTED = 192350001
    APPROVED = 192350002
    REJECTED = 192350003
    POSTED = 192350004
    PAID = 192350005
    RECALL_REQUESTED = 192350006


class VendorInvoiceStatus(IntEnum):
    """statuscode of a project vendor invoice; PROPOSED values of documented states."""

    DRAFT = 192350000
    IN_REVIEW = 192350001
    CONFIRMED = 192350002
    ON_HOLD = 192350003
    CANCELED = 192350004


class VerificationStatus(IntEnum):
    """msdyn_verificationstatus of a vendor invoice line; PROPOSED values."""

    NOT_STARTED = 192350000
    IN_PROGRESS = 192350001
    COMPLETE = 192350002


class SubcontractStatus(IntEnum):
    """statuscode of a subcontract; PROPOSED values of documented states."""

    DRAFT = 192350000
    CONFIRMED = 192350001
    CLOSED = 192350002
    CANCELED = 192350003


class PriceContext(IntEnum):
    """msdyn_module of a price list: what its prices are for."""

    COST = 192350000
    PURCHASE = 192350001
    SALES = 192350002


class PricingMethod(IntEnum):
    """msdyn_pricingmethod of a transaction category's price."""

    AT_COST = 192350000
    MARKUP_OVER_COST = 192350001
    PRICE_PER_UNIT = 192350002
