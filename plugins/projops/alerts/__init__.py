"""Alerts: what goes wrong is found once, told once, and taken back when it is over.

    state, maps ─> facts ─> causes ─(rules)─> watch ─> alert, delivery (the outbox) ─> channels
    tasks that fail ─> task_failure ─┘

Nothing here imports Airflow but the channels that send through it.
"""
