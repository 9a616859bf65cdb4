from pathlib import Path

from builders import AGREES, DIFFERS, arm, sample, workload_in

from keras_bench.errors import Unsupported, WorkerDied
from keras_bench.measure.runner import Outcome, Starting, Target, carry_out, grown
from keras_bench.records import ArmResult, Assignment

JAX, TORCH = arm(backend="jax"), arm(backend="torch")
TARGETS = {each: Target(f"/{each.backend}", workload_in(Path("mine.py"))) for each in (JAX, TORCH)}
BOTH = (Assignment(JAX, 3), Assignment(TORCH, 3))


def run_all_but_jax(python, request):
    if request.backend == "jax":
        raise WorkerDied("mine on jax", "the worker was killed", "look")
    return sample()


def results_after_a_round(number, results):
    for event in carry_out(number, BOTH, TARGETS, 0, run_all_but_jax):
        if isinstance(event, Outcome):
            results = grown(results, event)
    return results


def test_a_round_runs_each_assignment_once_and_in_order():
    asked = []

    def run_worker(python, request):
        asked.append((python, request.backend, request.epochs, request.seed))
        return sample()

    assignments = (Assignment(TORCH, 3, epochs=5), Assignment(JAX, 3, epochs=7))
    events = list(carry_out(4, assignments, TARGETS, 17, run_worker))
    assert asked == [("/torch", "torch", 5, 17), ("/jax", "jax", 7, 17)]
    assert [type(event) for event in events] == [Starting, Outcome, Starting, Outcome]
    assert [(event.place, event.of) for event in events[::2]] == [(1, 2), (2, 2)]
    assert [event.result.round for event in events[1::2]] == [4, 4]


def test_a_failure_leaves_the_other_arms_and_what_was_measured():
    jax, torch = results_after_a_round(2, (ArmResult(JAX, (sample(),)), ArmResult(TORCH)))
    assert (len(jax.samples), jax.failure.round, jax.failure.exit_code) == (1, 2, 5)
    assert len(torch.samples) == 1
    assert torch.failure is None


def unsupported(known):
    error = Unsupported("not on torch", "it needs jax", "measure it on another backend")
    (found,) = grown((ArmResult(TORCH, known),), Outcome(2, TORCH, error))
    return found.failure


def test_a_backend_that_a_workload_is_not_for_is_told_from_a_failure():
    assert unsupported(()).unsupported
    # It has trained before, so it isn't unable to.
    assert not unsupported((sample(),)).unsupported
    (jax, _) = results_after_a_round(1, (ArmResult(JAX), ArmResult(TORCH)))
    assert not jax.failure.unsupported


def test_a_round_leaves_what_is_known_of_parity():
    known = (ArmResult(JAX, parity=DIFFERS), ArmResult(TORCH, parity=AGREES))
    assert [result.parity for result in results_after_a_round(1, known)] == [DIFFERS, AGREES]
