"""The summary of the study of slices, by known answers."""

import math
import runpy

import pytest
from project import PROJECT
from slice_study import Comparison, figures_by_length

MEASURED = Comparison("jax", "fit", "single", False, "a CPU", 0, 0, 40.0, 1.0, 1.0, 0.05)


def comparison(**changes):
    values = {name: getattr(MEASURED, name) for name in Comparison.__dataclass_fields__}
    return Comparison(**values | changes)


def test_the_error_is_that_around_the_mean_of_each_pair():
    # The pairs differ by far more than their comparisons do.
    ratios = {(0, 0): 1.01, (0, 1): 0.99, (1, 0): 1.51, (1, 1): 1.49}
    (found,) = figures_by_length(
        [
            comparison(pair=pair, repetition=repetition, wall_ratio=ratio, cpu_ratio=1.0)
            for (pair, repetition), ratio in ratios.items()
        ]
    )
    logs = [math.log(1.01 / 0.99) / 2, math.log(1.51 / 1.49) / 2]
    assert found.wall_error == pytest.approx(math.sqrt(sum(2 * log**2 for log in logs) / 2))
    assert found.cpu_error == 0.0
    assert found.lean == pytest.approx((1.01 * 0.99 * 1.51 * 1.49) ** 0.25)
    assert found.comparisons == 4


def test_an_epoch_in_slices_is_compared_with_a_whole_one_of_its_turn():
    found = figures_by_length(
        [
            # The machine is half as fast in the second repetition.
            comparison(repetition=0, slice_ms=5.0, epoch_seconds=0.06),
            comparison(repetition=0, slice_ms=None, epoch_seconds=0.05),
            comparison(repetition=1, slice_ms=None, epoch_seconds=0.1),
            comparison(repetition=1, slice_ms=5.0, epoch_seconds=0.12),
        ]
    )
    assert [each.slice_ms for each in found] == [5.0, None]
    assert [each.sliced_to_free for each in found] == pytest.approx([1.2, 1.0])
    assert found[0].sliced_to_free_error == pytest.approx(0.0)


def test_the_page_on_slices_has_the_figures_of_the_stored_comparisons():
    writer = runpy.run_path(str(PROJECT / "docs" / "scripts" / "write_slices.py"))
    page = (PROJECT / "docs" / "explanation" / "slices.md").read_text(encoding="utf-8")
    found, cpu = writer["load"]()
    assert "| jax " in page
    assert writer["filled"](page, found, cpu) == page
