"""Parts values in a row into levels, by the squares around the mean of each."""

import numpy as np
import numpy.typing as npt


def partition(values: npt.NDArray[np.float64], least: int, penalty: float) -> list[int]:
    """Return the places at which levels begin, without the first one.

    Of all ways to part the values into levels of so many values at `least`, it is the one with the
    least sum of squares around their means, a `penalty` added for each place: optimal partitioning
    (B. Jackson and others, IEEE Signal Processing Letters 12, 2005, 105-108).

    It takes as long as the square of the number of values, which are near 0 in the mean.
    """
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(count + 1)
    # The squares of the values themselves are the same in all ways, and left out.
    costs = np.full(count + 1, np.inf)
    costs[0] = 0.0
    begins = np.zeros(count + 1, dtype=int)
    for end in range(least, count + 1):
        last = slice(0, end - least + 1)
        ways = costs[last] - (sums[end] - sums[last]) ** 2 / (end - places[last])
        begins[end] = ways.argmin()
        costs[end] = ways[begins[end]] + penalty
    found = []
    place = int(begins[count])
    while place > 0:
        found.append(place)
        place = int(begins[place])
    return found[::-1]
