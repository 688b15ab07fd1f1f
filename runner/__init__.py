"""Runs the sandbox and Airflow's components on this machine, for `make demo` and `make up`."""
