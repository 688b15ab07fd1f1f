"""Tax groups by the parameter's method, and what they come to (R609)."""

from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.taxes import Tax, TaxFacts, sales_tax, tax_groups
from tests.unit.sandbox.finance.rules.accounts import CONTRACT, CUSTOMER, PROJECT, add_contract, set_up

FACTS = TaxFacts(project=PROJECT, contract=CONTRACT, customer=CUSTOMER, category="TCN-1", product="P-1")


def configure(books: Books, **parameters: str) -> None:
    row = books.get("ProjectParametersV2", dataAreaId="uspm")
    books.update("ProjectParametersV2", row, parameters)


@pytest.fixture
def firm(books: Books) -> Books:
    set_up(books)
    add_contract(books, tax_group="CUST")
    project = books.get("ProjectsV2", ProjectId=PROJECT)
    books.update("ProjectsV2", project, {"SalesTaxGroupId": "PROJ"})
    contract = books.get("ProjectContractHeaders", ProjectContractId=CONTRACT)
    books.update("ProjectContractHeaders", contract, {"SalesTaxGroupCode": "CONTR"})
    category = {"dataAreaId": "uspm", "Category": "TCN-1", "ItemSalesTaxGroup": "CAT"}
    books.insert("ProjectCategoryEntities", category)
    product = {"dataAreaId": "uspm", "ItemNumber": "P-1", "SalesSalesTaxItemGroupCode": "PROD"}
    books.insert("ReleasedProductsV2", product)
    return books


@pytest.mark.parametrize(
    ("method", "group"),
    [("Project", "PROJ"), ("InvoiceProject", "CONTR"), ("AccountReceivable", "CUST"), ("Search", "PROJ")],
)
def test_r609_the_method_of_the_parameters_finds_the_tax_group(firm: Books, method: str, group: str) -> None:
    configure(firm, TaxGroupMethod=method)
    assert tax_groups(firm, "uspm", FACTS)[0] == group


def test_r609_search_goes_from_project_to_contract_to_customer(firm: Books) -> None:
    project = firm.get("ProjectsV2", ProjectId=PROJECT)
    firm.update("ProjectsV2", project, {"SalesTaxGroupId": ""})
    assert tax_groups(firm, "uspm", FACTS)[0] == "CONTR"
    contract = firm.get("ProjectContractHeaders", ProjectContractId=CONTRACT)
    firm.update("ProjectContractHeaders", contract, {"SalesTaxGroupCode": ""})
    assert tax_groups(firm, "uspm", FACTS)[0] == "CUST"


def test_r609_the_item_group_of_material_is_by_parameter_the_product_s(firm: Books) -> None:
    configure(firm, TaxItemGroupMethod="ItemNumber")
    assert tax_groups(firm, "uspm", FACTS)[1] == "PROD"
    configure(firm, TaxItemGroupMethod="Category")
    assert tax_groups(firm, "uspm", FACTS)[1] == "CAT"
    configure(firm, TaxItemGroupOnAcc="ONACC")
    assert tax_groups(firm, "uspm", TaxFacts(category="TCN-1", on_account=True))[1] == "ONACC"


def test_tax_is_rounded_to_coins_and_part_of_it_becomes_cost(firm: Books) -> None:
    rate = {"dataAreaId": "uspm", "TaxGroup": "STATE", "TaxItemGroup": "MEALS"}
    firm.insert("SalesTaxRates", rate | {"Percent": Decimal("8.875"), "NonRecoverablePercent": Decimal(50)})
    amount = Decimal("99.99")
    assert sales_tax(firm, "uspm", "STATE", "MEALS", amount, "USD") == Tax(Decimal("8.87"), Decimal("4.44"))
    assert sales_tax(firm, "uspm", "STATE", "MEALS", Decimal(999), "JPY") == Tax(Decimal(89), Decimal(45))
    dinars = sales_tax(firm, "uspm", "STATE", "MEALS", Decimal("99.999"), "KWD")
    assert dinars == Tax(Decimal("8.875"), Decimal("4.438"))


def test_groups_without_a_common_code_make_no_tax(firm: Books) -> None:
    assert sales_tax(firm, "uspm", "STATE", "", Decimal(100), "USD") == Tax()
    assert sales_tax(firm, "uspm", "STATE", "NONE", Decimal(100), "USD") == Tax()
