"""What is measured: names, kinds and tags in `catalog`; numbers as plain values in `measures` and `standing`.

Nothing here imports Airflow: `orchestration.metrics` sends the values where Airflow's own metrics go.
"""
