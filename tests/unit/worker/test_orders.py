"""Other orders of the examples of a batch."""

import numpy as np

from keras_bench.worker.orders import within_batches


def test_each_batch_keeps_its_examples_in_another_order():
    examples = np.arange(100, 123)
    orders = [within_batches(examples, 10, number) for number in range(3)]
    for order in orders:
        for first in (0, 10, 20):
            assert sorted(order[first : first + 10]) == list(examples[first : first + 10])
    assert len({tuple(order) for order in (*orders, examples)}) == 4
    assert np.array_equal(within_batches(examples, 10, 0), orders[0])
