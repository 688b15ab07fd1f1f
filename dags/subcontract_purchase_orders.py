"""Subcontract purchase orders: subcontracts and their lines to Finance, which makes purchase orders of them.

Lines follow their subcontract; both wait for the projects and tasks that they name.
An Airflow run moves what changed since the last one.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("subcontract_purchase_orders", doc=__doc__)
