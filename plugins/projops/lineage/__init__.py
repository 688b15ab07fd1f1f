"""Lineage as plain values: datasets, columns, and the way of a row.

    mapping ─> columns ─> end_to_end        which columns become which
    catalog, settings ─> datasets           what they stand in
    mapping ─> feeds                        which area wakes which
    state ─> batches, quality               what a run did, in numbers

How a single row came about is told by `trace`.
"""
