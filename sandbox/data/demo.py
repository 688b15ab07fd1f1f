"""The demo seed: which rows stand on which side before the first sync.

Finance holds all reference data. Dataverse holds what people work with there, and as little
reference data as those rows refer to; the rest arrives by sync.
"""

from sandbox.data import (
    contracts,
    finance_setup,
    intercompany,
    ledgers,
    milestones,
    parties,
    prices,
    projects,
    resources,
    work,
)
from sandbox.data.firm import Row
from sandbox.store import Store


def finance_rows() -> dict[str, list[Row]]:
    """Return the rows of Finance by entity set, parents first."""
    return {
        "LegalEntities": ledgers.legal_entities(),
        "Currencies": ledgers.finance_currencies(),
        "ExchangeRateTypes": ledgers.exchange_rate_types(),
        "ExchangeRateCurrencyPairs": ledgers.exchange_rate_pairs(),
        "ExchangeRatesCDSEntity": ledgers.exchange_rates(),
        "Ledgers": ledgers.ledgers(),
        "UnitsOfMeasure": resources.units(),
        "CustomersV3": [*parties.finance_customers(), *intercompany.customers()],
        "VendorsV2": [*parties.vendors(), *intercompany.vendors()],
        "ReleasedProductsV2": resources.products(),
        "Workers": resources.workers(),
        **finance_setup.finance_rows(),
    }


def dataverse_rows() -> dict[str, list[Row]]:
    """Return the rows of Dataverse by table, parents first."""
    return {
        "cdm_company": ledgers.companies(),
        "transactioncurrency": ledgers.transaction_currencies(),
        "msdyn_organizationalunit": ledgers.organizational_units(),
        "account": parties.accounts(),
        "bookableresourcecategory": resources.roles(),
        "msdyn_transactioncategory": resources.transaction_categories(),
        "salesorder": contracts.orders(),
        "msdyn_projectcontractsplitbillingrule": contracts.funding_sources(),
        "msdyn_project": projects.project_rows(),
        "salesorderdetail": contracts.order_lines(),
        "msdyn_projecttask": projects.task_rows(),
        "msdyn_contractlinescheduleofvalue": milestones.milestone_rows(),
        "uom": work.units(),
        "bookableresource": work.bookable_resources(),
        "msdyn_resourceassignment": work.assignments(),
        "msdyn_estimateline": work.estimate_lines(),
        "msdyn_timeentry": work.time_entries(),
        "msdyn_actual": work.actuals(),
        "msdyn_transactionconnection": work.connections(),
        "msdyn_transactionorigin": work.origins(),
        **prices.dataverse_rows(),
    }


def seed_demo(store: Store) -> None:
    """Fill an empty `store` with the demo firm, the same rows every time."""
    for entity_set, rows in finance_rows().items():
        store.bulk_insert(store.finance[entity_set], rows)
    for table, rows in dataverse_rows().items():
        store.bulk_insert(store.dataverse[table], rows)
