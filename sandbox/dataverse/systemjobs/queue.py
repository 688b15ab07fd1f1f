"""How the asynchronous service learns that there may be something to do."""

from threading import Event


class JobQueue:
    """A bell: whoever has committed a job rings it; the jobs themselves are rows, and stay."""

    def __init__(self) -> None:
        """Begin silent."""
        self._bell = Event()

    def ring(self) -> None:
        """Say that jobs may be ready."""
        self._bell.set()

    def wait(self, seconds: float | None) -> None:
        """Wait until it rings, or for `seconds`; then it is silent again."""
        self._bell.wait(seconds)
        self._bell.clear()
