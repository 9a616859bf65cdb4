from builders import AGREES, DIFFERS, arm, sample

from keras_bench.errors import Unsupported, WorkerDied
from keras_bench.measure.outcomes import Outcome, grown
from keras_bench.records import ArmResult

JAX, TORCH = arm(backend="jax"), arm(backend="torch")
DIED = WorkerDied("mine on jax", "the worker was killed", "look")


def results_after_a_round(number, results):
    """Return the results with a failure of JAX and a sample of torch."""
    return grown(grown(results, Outcome(number, JAX, DIED)), Outcome(number, TORCH, sample()))


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
