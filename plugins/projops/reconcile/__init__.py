"""Proof that both sides are equal, in the order of the flow.

compare (both sides read, rows that differ) -> judge (drift, or what explains it) -> repair;
accounting (do the books agree), month_end (can the period be closed), report (what people read)
"""
