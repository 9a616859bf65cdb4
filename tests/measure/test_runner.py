from dataclasses import replace
from pathlib import Path

from builders import AGREES, DIFFERS, arm, run, sample

from bench.errors import WorkerDied
from bench.measure.runner import Outcome, Starting, Target, carry_out
from bench.records import ArmResult, Assignment

JAX, TORCH = arm(backend="jax"), arm(backend="torch")
TARGETS = {each: Target(f"/{each.backend}", Path("mine.py")) for each in (JAX, TORCH)}


def fresh_run():
    return replace(run(), results=(ArmResult(JAX), ArmResult(TORCH)), rounds=0)


def test_a_round_runs_each_assignment_once_and_in_order():
    asked = []

    def run_worker(python, request):
        asked.append((python, request.backend, request.epochs, request.seed))
        return sample()

    assignments = (Assignment(TORCH, 3, epochs=5), Assignment(JAX, 3, epochs=7))
    events = list(carry_out(fresh_run(), assignments, TARGETS, run_worker))
    seed = fresh_run().settings.seed
    assert asked == [("/torch", "torch", 5, seed), ("/jax", "jax", 7, seed)]
    assert [type(event) for event in events] == [Starting, Outcome, Starting, Outcome]
    assert events[-1].run.rounds == 1
    assert [result.samples[0].round for result in events[-1].run.results] == [1, 1]


def test_a_failure_leaves_the_other_arms_and_what_was_measured():
    def run_worker(python, request):
        if request.backend == "jax":
            raise WorkerDied("mine on jax", "the worker was killed", "look")
        return sample()

    before = replace(fresh_run(), results=(ArmResult(JAX, (sample(),)), ArmResult(TORCH)), rounds=1)
    *_, last = carry_out(before, (Assignment(JAX, 3), Assignment(TORCH, 3)), TARGETS, run_worker)
    jax, torch = last.run.results
    assert (len(jax.samples), jax.failure.round, jax.failure.exit_code) == (1, 2, 5)
    assert len(torch.samples) == 1
    assert torch.failure is None
    assert last.run.rounds == 2


def test_a_round_leaves_what_is_known_of_parity():
    def run_worker(python, request):
        if request.backend == "jax":
            raise WorkerDied("mine on jax", "the worker was killed", "look")
        return sample()

    known = (ArmResult(JAX, parity=DIFFERS), ArmResult(TORCH, parity=AGREES))
    assignments = (Assignment(JAX, 3), Assignment(TORCH, 3))
    *_, last = carry_out(replace(run(), results=known), assignments, TARGETS, run_worker)
    assert [result.parity for result in last.run.results] == [DIFFERS, AGREES]


def test_a_round_cut_short_is_not_counted():
    events = carry_out(
        fresh_run(), (Assignment(JAX, 3), Assignment(TORCH, 3)), TARGETS, lambda *_: sample()
    )
    next(events)
    assert next(events).run.rounds == 0
