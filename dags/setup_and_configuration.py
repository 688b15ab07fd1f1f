"""Setup and configuration: the projects and what frames them, from Dataverse to Finance.

Roles, transaction categories, contracts with their lines and funding sources, projects with their tasks,
milestones. An Airflow run moves what changed since the last one; rows that refer to customers wait for
`reference_data`.
"""

from projops.orchestration.area_dag import area_dag

dag = area_dag("setup_and_configuration", doc=__doc__)
