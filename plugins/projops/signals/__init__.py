"""What both systems tell of changes by themselves, so that a change starts a run instead of the clock.

    webhook or event -> messages -> noting -> state.signals -> watching -> asset -> run -> taking

A signal is a wake-up: it carries nothing of the change, and is never needed. What is to move, a run asks the
systems, by signal or every five minutes.
"""
