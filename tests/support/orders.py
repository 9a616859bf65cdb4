"""The orders that chance gives to the arms of many rounds."""

from dataclasses import replace
from typing import Any

from builders import gate, result, run, side

from keras_bench.analyze import gate_plan, plan
from keras_bench.records import Arm, Gate, GateSettings, Settings


def orders_of_a_run(seed: int, rounds: int = 8) -> list[tuple[Arm, ...]]:
    """Return the order of a group of three arms in each of so many rounds, from the second on."""
    settings = Settings(seed=seed, rounds=rounds + 1, budget_seconds=None)
    arms = [result(backend, *[0.1] * 6) for backend in ("tensorflow", "jax", "torch")]
    known = run(*arms, settings=settings)
    plans = [plan.next_round(replace(known, rounds=number), 0.0) for number in range(1, rounds + 1)]
    return [group for (group,) in plans]


def unmeasured_gate(*workloads: str, **changes: Any) -> Gate:
    sides = [
        side(label, workload=name) for name in workloads for label in ("baseline", "candidate")
    ]
    return gate(*sides, **changes)


def orders_of_a_gate(rounds: int, **settings: Any) -> list[list[str]]:
    """Return the order of the two sides in each of so many rounds."""
    start = unmeasured_gate("net", settings=GateSettings(**settings))
    plans = [gate_plan.next_round(replace(start, rounds=number), 0.0) for number in range(rounds)]
    return [[arm.environment.label for arm in group] for (group,) in plans]
