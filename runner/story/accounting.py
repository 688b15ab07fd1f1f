"""What accountants do in Finance each night: import what has arrived, post journals, invoices and orders."""

from runner.errors import RunnerError
from runner.wire import Row, Wire

TAX_GROUP = "US-STATE"


def set_tax_group(wire: Wire, area: str, contract: str) -> None:
    """Say how a contract is taxed: the accountants' own attribute, which no sync touches (R101, R609)."""
    key = f"ProjectContractHeaders(dataAreaId='{area}',ProjectContractId='{contract}')"
    wire.change_finance(key, {"SalesTaxGroupCode": TAX_GROUP})


def post_actuals(wire: Wire) -> None:
    """Import what has arrived from staging and post the integration journals (R601, R703)."""
    _done(wire, "import-from-staging")
    _done(wire, "post-integration-journal")


def post_invoices(wire: Wire) -> None:
    """Give the proposals their lines, all or none, and post them (R802, R805)."""
    _done(wire, "import-from-staging")
    _done(wire, "post-invoice-proposals")


def bill_between_companies(wire: Wire) -> None:
    """Post the lender's invoices, and the borrower's pending vendor invoices that follow (R1203)."""
    _done(wire, "post-intercompany-invoices")
    _done(wire, "post-vendor-invoices")


def _done(wire: Wire, job: str) -> Row:
    """Run a job that must not leave a message behind."""
    result = wire.run_job(job)
    if result["messages"]:
        raise RunnerError(f"The job {job} refused something: {'; '.join(map(str, result['messages']))}")
    return result
