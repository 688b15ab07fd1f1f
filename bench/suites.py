"""The suites that there are: each a module with a `measure`, whose whole numbers are its options."""

import inspect
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite.

    Attributes:
        name: What it is called, on the command line and in `results/`.
        module: Where its `measure(..., results: Path) -> int` stands: 1 where a promise is broken.
        what: What it measures, in a few words.
        smaller: Options of `make bench`, where the suite's own would take too long for it.
    """

    name: str
    module: str
    what: str
    smaller: Mapping[str, int] | None = None

    def measure(self) -> Callable[..., int]:
        """Import the suite; only now, since some import Airflow or another heavy library."""
        found: Callable[..., int] = import_module(self.module).measure
        return found

    def parser(self) -> ArgumentParser:
        """Give an option for each of the whole numbers that it takes."""
        parser = ArgumentParser(prog=f"python -m bench {self.name}", description=self.what)
        parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the figures")
        for name, default in self._numbers():
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
        return parser

    def _numbers(self) -> Iterator[tuple[str, int]]:
        for name, parameter in inspect.signature(self.measure()).parameters.items():
            if isinstance(parameter.default, int):
                yield name, parameter.default

    def run(self, arguments: list[str]) -> int:
        """Measure with these options; give 1 where a promise is broken."""
        options = vars(self.parser().parse_args(arguments))
        options["results"].mkdir(parents=True, exist_ok=True)
        return self.measure()(**options)


SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite("extract", "bench.extract", "a million rows to Parquet, by us and by peers"),
        Suite("growth", "bench.growth", "what each stage costs, and how that grows with the rows"),
        Suite("end_to_end", "bench.end_to_end", "changed rows through the engine, and by a bare client"),
        Suite(
            "crossover",
            "bench.crossover",
            "rows to Finance: changesets next to data packages",
            {"most": 1000, "repeats": 1},
        ),
        Suite(
            "reconcile", "bench.reconcile", "both sides of a map compared, once they are read", {"repeats": 1}
        ),
        Suite("stages", "bench.stages", "validate and transform", {"repeats": 1}),
        Suite("airflow", "bench.airflow", "DAG files parsed; tasks and runs under the scheduler"),
        Suite("idle", "bench.idle", "an area in which nothing changes", {"rounds": 1}),
        Suite("latency", "bench.latency", "single signalled changes, until they are written"),
        Suite("kills", "bench.kills", "workers killed at random: lost and doubled rows", {"kills": 30}),
        Suite("console", "bench.console", "every page of the console", {"repeats": 10}),
        Suite(
            "sandbox",
            "bench.sandbox_suite",
            "how fast the sandbox reads, writes and is filled",
            {"repeats": 1},
        ),
    )
}
