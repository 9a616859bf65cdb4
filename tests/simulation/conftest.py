"""How many times a simulation draws."""

from collections.abc import Callable

import pytest

#: Fewer draws tell nothing of a rate.
FEWEST = 5


@pytest.fixture
def draws(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """Return the number of draws: all of them with `--full`, or else a tenth."""

    def number(in_full: int) -> int:
        tenth = max(in_full // 10, min(in_full, FEWEST))
        return in_full if request.config.getoption("full") else tenth

    return number
