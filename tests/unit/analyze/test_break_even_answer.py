import pytest
from builders import result, run, sample

from keras_bench.analyze.break_even import BreakEven
from keras_bench.analyze.break_even_answer import answer, loops_answers
from keras_bench.analyze.comparison import tables

JAX, TORCH = result("jax").arm, result("torch").arm


@pytest.mark.parametrize(
    ("epochs", "low", "high", "end"),
    [
        (91, 80, 1100, " from 91 epochs on (80 to 1100)."),
        (1, 1, 1, ", however short the training."),
        (1, 1, 7, " from the first epoch on (1 to 7)."),
        (
            91,
            None,
            None,
            " from 91 epochs on, its start known of one process, which gives no interval.",
        ),
        *(
            (
                epochs,
                low,
                None,
                f" from {said} on, but undecided for long trainings: their epochs are too much"
                " alike.",
            )
            for epochs, low, said in ((91, 5, "91 epochs"), (1, 1, "the first epoch"))
        ),
    ],
)
def test_it_is_said_in_a_sentence(epochs, low, high, end):
    said = answer(BreakEven(JAX, TORCH, epochs, low, high, 12.0))
    assert said == f"jax takes less time than torch in all{end}"


def test_it_is_said_of_each_loop_that_is_faster_than_fit_from_when_on_it_pays():
    compiled = [sample(0.01, epoch_seconds=(10.0, *[0.01] * 9))] * 3
    known = run(
        result("jax", *[0.1] * 3),
        result("torch", *[0.2] * 3),
        result("jax", *compiled, loop="fused"),
        result("jax", *compiled, loop="bare"),
        result("torch", *[0.3] * 3, loop="batch"),
    )
    (table,) = tables(known)
    # The first epoch of fit takes 1.1 s: 8.9 s are to be made up for, at 0.09 s an epoch.
    assert loops_answers(known, table) == [
        "On jax, fused takes less time than fit in all from 100 epochs on (100 to 100)."
    ]
