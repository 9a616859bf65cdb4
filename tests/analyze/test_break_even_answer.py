import pytest
from builders import result

from bench.analyze.break_even import BreakEven
from bench.analyze.break_even_answer import answer

JAX, TORCH = result("jax").arm, result("torch").arm


@pytest.mark.parametrize(
    ("epochs", "low", "high", "end"),
    [
        (91, 80, 1100, " from 91 epochs on (80 to 1,100)."),
        (1, 1, 1, ", however short the training."),
        (1, 1, 7, " from the first epoch on (1 to 7)."),
        (91, None, None, " from 91 epochs on, by one process, which gives no interval."),
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
