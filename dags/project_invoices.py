"""Project invoices: confirmed proforma invoices to Finance, posted customer invoices back.

An invoice goes when all of its billed actuals, and what they are connected with, have gone in
`estimates_and_actuals`; Finance posts the proposal, and number, date and tax come back to Dataverse.
An Airflow run moves what changed since the last one.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("project_invoices", doc=__doc__)
