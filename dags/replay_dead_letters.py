"""Replay, approve or dismiss dead letters.

Trigger it with its form. Rows that are replayed are read again by key and taken through all stages; a
delete that is approved is done if the row is still gone. The areas' own DAGs do the work, and must not be
paused in Airflow; the last task says what became of each entry.
"""

from projops.orchestration.replay_dag import replay_dag

dag = replay_dag("replay_dead_letters", doc=__doc__)
