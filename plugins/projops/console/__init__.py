"""The pages that Airflow's UI serves for us; with `orchestration`, the only code that imports Airflow."""
