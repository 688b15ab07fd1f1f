"""Expense management: expense categories, and the project lines of posted expense reports, to Dataverse.

Dataverse approves what comes by itself; the actuals that follow return to Finance by
`estimates_and_actuals`, where they clear the expense integration account.
An Airflow run moves what changed since the last one.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("expense_management", doc=__doc__)
