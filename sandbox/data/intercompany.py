"""Who lends resources to whom in the demo, and as whom the two know each other (R1204)."""

from sandbox.data.firm import COMPANIES, Company, Row

LENDER, BORROWER = "GBPM", "USPM"


def relations() -> list[Row]:
    """Rows of IntercompanyProjectRelations: USA and Great Britain lend to each other (R1204)."""
    return [_relation(LENDER, BORROWER), _relation(BORROWER, LENDER)]


def customers() -> list[Row]:
    """Rows of CustomersV3, which go with the customers of `parties`: each borrower in its lender's books."""
    return [
        {
            "dataAreaId": lender.area,
            "CustomerAccount": f"IC-{borrower.code}",
            "OrganizationName": borrower.name,
            "InvoiceAccount": "",
            "CustomerGroupId": "80",
            "PartyType": "Organization",
            "SalesCurrencyCode": borrower.currency,
            "PaymentTerms": "Net30",
            "LanguageId": "en-us",
            "OnHoldStatus": "No",
            "DefaultDimensionDisplayValue": f"IC-{borrower.code}",
            "AddressCity": borrower.city,
            "AddressCountryRegionId": borrower.country,
        }
        for lender, borrower in _partners()
    ]


def vendors() -> list[Row]:
    """Rows of VendorsV2, which go with the vendors of `parties`: each lender in its borrower's books."""
    return [
        {
            "dataAreaId": borrower.area,
            "VendorAccountNumber": f"IC-{lender.code}",
            "VendorOrganizationName": lender.name,
            "InvoiceVendorAccountNumber": "",
            "VendorGroupId": "80",
            "VendorPartyType": "Organization",
            "CurrencyCode": borrower.currency,
            "DefaultPaymentTermsName": "Net30",
            "LanguageId": borrower.language,
            "OnHoldStatus": "No",
            "AddressCity": lender.city,
            "AddressCountryRegionId": lender.country,
        }
        for lender, borrower in _partners()
    ]


def _partners() -> list[tuple[Company, Company]]:
    by_code = {company.code: company for company in COMPANIES}
    lender, borrower = by_code[LENDER], by_code[BORROWER]
    return [(lender, borrower), (borrower, lender)]


def _relation(lender: str, borrower: str) -> Row:
    return {
        "LendingLegalEntityId": lender,
        "BorrowingLegalEntityId": borrower,
        "CustomerAccountNumber": f"IC-{borrower}",
        "VendorAccountNumber": f"IC-{lender}",
        "AccrueRevenue": "Yes",
        "ProcurementCategoryName": "Consulting",
    }
