"""The thin skin over the engine that Airflow sees: connection types, hooks, operators, DAGs.

    provider ─> hooks ─> connections ───────────┐
    assets ─> *_dag ─> *operators ─> engine_task ─> projops.engine
                           ├─> *_lineage ─> openlineage    (only when OpenLineage's listener asks)
                           └─> failures ─> alert_sending ─> projops.alerts    (when a task has ended)

With the console the only code that imports Airflow. What is imported when Airflow parses a DAG
(DAGs, operators, assets) keeps the heavy libraries out of its module level.
"""
