"""Runs the programs, one process after the other, in turns, so that a slow moment meets all."""

from dataclasses import dataclass, field

from benchmarks.compilation.programs import BLOCKS, FIRST_STEPS
from benchmarks.compilation.sizes import FULL, QUICK
from benchmarks.contestants import Contestant
from benchmarks.processes import missing, run_once


@dataclass
class Case:
    """One program at one size, and what was measured of it.

    Attributes:
        program: What is run.
        size: How many layers or blocks.
        seconds: One number for each start; none where something is not installed.
        weights: How many weights the network has.
        version: Of the framework.
    """

    program: Contestant
    size: int
    seconds: list[float] = field(default_factory=list)
    weights: int = 0
    version: str = ""

    def run(self) -> None:
        """Measure once more, in a new process."""
        arguments = [self.program.entry, self.program.package, str(self.size)]
        report = run_once(self.program, "benchmarks.compilation.child", arguments)
        self.seconds.append(report["seconds"])
        self.weights, self.version = report["weights"], report["version"]


@dataclass
class Compilations:
    """All that was measured.

    Attributes:
        first_steps: For each form of a deep network ours and theirs.
        blocks: For `repeat` and `serial` a case for each number of blocks.
    """

    first_steps: dict[str, tuple[Case, Case]]
    blocks: dict[str, dict[int, Case]]

    @property
    def measured(self) -> list[Case]:
        """The cases whose frameworks are installed."""
        pairs = [case for pair in self.first_steps.values() for case in pair]
        blocks = [case for sizes in self.blocks.values() for case in sizes.values()]
        return [case for case in (*pairs, *blocks) if not missing(case.program)]

    @property
    def versions(self) -> dict[str, str]:
        """The version of each package."""
        return {case.program.package: case.version for case in self.measured}


def measure(starts: int, quick: bool) -> Compilations:
    """Return the measurements of so many starts, in full or quick sizes.

    Raises:
        RuntimeError: Networks that should be equal have different numbers of weights.
    """
    sizes = QUICK if quick else FULL
    found = Compilations(
        {
            form: (Case(ours, sizes.layers), Case(theirs, sizes.layers))
            for form, (ours, theirs) in FIRST_STEPS.items()
        },
        {
            name: {size: Case(program, size) for size in sizes.blocks[name]}
            for name, program in BLOCKS.items()
        },
    )
    for _ in range(starts):
        for case in found.measured:
            case.run()
    check(found)
    return found


def check(found: Compilations) -> None:
    """Raise an error where networks that should be equal differ in their number of weights."""
    equals = [*found.first_steps.values()]
    repeated = found.blocks["repeat"]
    equals += [(repeated[size], case) for size, case in found.blocks["serial"].items()]
    for ours, theirs in equals:
        if theirs.seconds and ours.weights != theirs.weights:
            raise RuntimeError(
                f"{ours.program.entry!r} and {theirs.program.entry!r} of size {ours.size} should "
                f"be one network, and have {ours.weights} and {theirs.weights} weights."
            )
