"""Vendor invoices: posted vendor invoices with project lines to Dataverse, their confirmation back.

Dataverse confirms them, by itself or by a project manager; the actuals that follow return to Finance by
`estimates_and_actuals`, where they clear the procurement integration account.
An Airflow run moves what changed since the last one.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("vendor_invoices", doc=__doc__)
