"""How a service that works behind the requests learns that there may be something to do."""

from threading import Event


class Bell:
    """Whoever has committed work rings it; the work itself is rows, and stays."""

    def __init__(self) -> None:
        """Begin silent."""
        self._bell = Event()

    def ring(self) -> None:
        """Say that there may be work."""
        self._bell.set()

    def wait(self, seconds: float | None) -> None:
        """Wait until it rings, or for `seconds`; then it is silent again."""
        self._bell.wait(seconds)
        self._bell.clear()
