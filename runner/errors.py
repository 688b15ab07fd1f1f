"""What can go wrong while starting things here."""


class RunnerError(Exception):
    """One sentence for the person at the terminal: what happened, and what to do."""
