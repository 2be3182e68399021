"""What every kind of job shares: how much is measured, and what a job returns.

A kind of job is a function `run(name, settings) -> Result`; `__main__.py` has them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.tables import Target


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        starts: How often all processes are started anew; None leaves it to the job.
        rounds: How many turns each process takes; None leaves it to the job.
        quick: Whether the jobs have their tiny form.
    """

    starts: int | None = None
    rounds: int | None = None
    quick: bool = False

    def number_of_starts(self, full: int) -> int:
        """Return the number of starts: `full` unless it is set, 1 in the tiny form."""
        return self.starts or (1 if self.quick else full)

    def number_of_rounds(self, full: int, quick: int) -> int:
        """Return the number of rounds: `full` unless it is set, `quick` in the tiny form."""
        return self.rounds or (quick if self.quick else full)


@dataclass(frozen=True)
class Result:
    """What a job has measured.

    Attributes:
        tables: In Markdown.
        targets: What fjax is meant to reach, each with whether it does.
        versions: The version of each package.
    """

    tables: str
    targets: list[Target] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)


Run = Callable[[str, Settings], Result]
