"""Every example is in one call of the epoch, in order, and no call takes more than it may."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from keras_bench.loops.parts import Part, parts_of_epoch

sizes = st.integers(1, 500)


@given(examples=sizes, batch_size=sizes, bytes_per_example=st.integers(0, 50), memory=sizes)
def test_parts_follow_each_other_through_all_examples(
    examples: int, batch_size: int, bytes_per_example: int, memory: int
):
    parts = parts_of_epoch(examples, batch_size, bytes_per_example, memory)
    assert parts[0].start == 0
    assert parts[-1].stop == examples
    assert all(a.stop == b.start for a, b in pairwise(parts))


@given(examples=sizes, batch_size=sizes, bytes_per_example=st.integers(1, 50), memory=sizes)
def test_the_steps_are_those_of_fit(
    examples: int, batch_size: int, bytes_per_example: int, memory: int
):
    parts = parts_of_epoch(examples, batch_size, bytes_per_example, memory)
    sizes = [part.batch_size for part in parts for _ in range(part.steps)]
    assert sizes == [min(batch_size, examples - i) for i in range(0, examples, batch_size)]


@given(examples=sizes, batch_size=sizes, bytes_per_example=st.integers(1, 50), memory=sizes)
def test_no_part_of_several_steps_takes_more_than_the_memory(
    examples: int, batch_size: int, bytes_per_example: int, memory: int
):
    for part in parts_of_epoch(examples, batch_size, bytes_per_example, memory):
        assert part.steps == 1 or part.steps * part.batch_size * bytes_per_example <= memory


@given(examples=sizes, batch_size=sizes, bytes_per_example=st.integers(1, 50), memory=sizes)
def test_few_programs_are_compiled(
    examples: int, batch_size: int, bytes_per_example: int, memory: int
):
    """Each pair of a length and a batch size is one: two of full batches, and a short batch."""
    parts = parts_of_epoch(examples, batch_size, bytes_per_example, memory)
    assert len({(part.steps, part.batch_size) for part in parts}) <= 3


def test_an_epoch_that_fits_is_one_call_and_a_short_batch():
    assert parts_of_epoch(2100, 10, 8) == (Part(0, 210, 10),)
    assert parts_of_epoch(306, 10, 16) == (Part(0, 30, 10), Part(300, 1, 6))
