"""Which category an entity has, as the lists of data management and of the metadata service show it."""

# Which category a set has is not public; one that is not named here holds transactions [?].
_CATEGORIES = {
    "Master": """CustomersV3 VendorsV2 ReleasedProductsV2 Workers ProjectsV2 ProjectTasks LegalEntities
        ProjectContractHeaders ProjectContractLines ProjectFundingSources ProjCDSBookableResources""",
    "Reference": """Categories Currencies CustomerGroups ExchangeRateCurrencyPairs ExchangeRateTypes
        ExchangeRates ExchangeRatesCDSEntity Ledgers ProjExpenseCategoriesExport ProjectCategoryEntities
        ProjectGroups ProjectLineProperties ProjectTransactionCategories ResourceCategories
        ResourceCategoriesShared SalesTaxRates SharedCategories UnitsOfMeasure""",
    "Parameters": "ProjectParametersV2 ProjectIntegrationParameters NumberSequences",
}
_CATEGORY_OF = {name: category for category, names in _CATEGORIES.items() for name in names.split()}


def category_of(entity_set: str) -> str:
    """Return the category of an entity set: Master, Reference, Parameters or Transaction."""
    return _CATEGORY_OF.get(entity_set, "Transaction")
