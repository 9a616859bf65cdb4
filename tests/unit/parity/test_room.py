"""How much memory a check takes, and how many steps it leaves room for."""

import pytest

from keras_bench.parity.room import BYTES_PER_NUMBER, needed_bytes, numbers_with_room


@pytest.mark.parametrize("learners", [1, 3])
@pytest.mark.parametrize("steps", [1, 4])
def test_the_training_around_the_steps_takes_as_much_as_one_of_them(learners: int, steps: int):
    available_bytes = (steps + 1) * 1000 * BYTES_PER_NUMBER * learners
    assert numbers_with_room(available_bytes, 1000, learners) == steps * 1000
    assert needed_bytes(1000, learners) * (steps + 1) == available_bytes * 2
