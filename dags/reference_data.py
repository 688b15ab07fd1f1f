"""Reference data: what both systems must agree on before anything else can move.

Companies, currencies, exchange rates, ledgers, units, products and workers come from Finance; customers
and vendors go both ways. An Airflow run moves what changed since the last one.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("reference_data", doc=__doc__)
