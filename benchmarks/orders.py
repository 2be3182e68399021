"""Jobs of several measurements: each contestant's process answers an order, in turns.

Round after round, each order goes to every contestant before the next order, so that a slow moment
of the machine affects all of them.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.contestants import Contestant
from benchmarks.processes import Process, Report, environment, missing


@dataclass
class Answers:
    """What a contestant has answered.

    Attributes:
        version: The version of its package; empty if something that it needs is not installed.
        reports: The reports for each order, one for each round of each start; an order that the
            contestant does not know is absent.
    """

    version: str = ""
    reports: dict[str, list[Report]] = field(default_factory=dict)

    def values(self, order: str, name: str = "seconds") -> list[float]:
        """Return one number of each report of an order; none if the order is unknown."""
        return [report[name] for report in self.reports.get(order, [])]


def ask_in_turns(
    contestants: Mapping[str, Contestant], starts: int, rounds: int, quick: bool
) -> dict[str, Answers]:
    """Return the answers of each contestant.

    Args:
        contestants: By their names. `entry` is a function of `quick` that returns the contestant's
            answers, functions without arguments, by their orders.
        starts: How often all processes are started anew.
        rounds: How often each order is given in each start.
        quick: Whether to run the tiny form.
    """
    answers = {name: Answers() for name in contestants}
    for _ in range(starts):
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(_start(contestant, quick))
                for name, contestant in contestants.items()
                if not missing(contestant)
            }
            for name, process in processes.items():
                ready = process.report()
                answers[name].version = ready["version"]
                for order in ready["orders"]:
                    answers[name].reports.setdefault(order, [])
            for _ in range(rounds):
                _one_round(processes, answers)
    return answers


def versions(
    contestants: Mapping[str, Contestant], answers: Mapping[str, Answers]
) -> dict[str, str]:
    """Return the version of each package."""
    return {
        contestants[name].package: answer.version
        for name, answer in answers.items()
        if answer.version
    }


def _start(contestant: Contestant, quick: bool) -> Process:
    arguments = [contestant.entry, contestant.package, *(["--quick"] if quick else [])]
    settings = environment(contestant, quick)
    return Process(contestant, "benchmarks.orders_child", arguments, settings)


def _one_round(processes: Mapping[str, Process], answers: Mapping[str, Answers]) -> None:
    orders = dict.fromkeys(order for name in processes for order in answers[name].reports)
    for order in orders:
        for name, process in processes.items():
            if order in answers[name].reports:
                answers[name].reports[order].append(process.ask(order))
