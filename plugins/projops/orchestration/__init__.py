"""The thin skin over the engine that Airflow sees: connection types, hooks, operators, DAGs.

    provider ─> hooks ──┐
    assets ─> area_dag ─> operators ─> projops.pipeline

With the console the only code that imports Airflow. What is imported when Airflow parses a DAG
(area_dag, operators, assets) keeps the heavy libraries out of its module level.
"""
