"""Estimates and actuals: what projects are expected to cost, and what happened on them, to Finance.

Hour, expense and material estimates become forecasts; actuals and the connections between them become
journal lines and invoice lines. What posting made of an actual (voucher, accounting amount, exchange rate,
sales tax) comes back to it. Rows that refer to projects, tasks or contracts wait for
`setup_and_configuration`.
An Airflow run moves what changed since the last one.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("estimates_and_actuals", doc=__doc__)
