import pytest
from builders import failure

from keras_bench.analyze.conclusion import exit_code_of
from keras_bench.errors import WorkloadError

DIED = failure()
NO_DATA = failure(WorkloadError("net.py", "has no data()", "add it"))


@pytest.mark.parametrize(
    ("outcomes", "failures", "undecided_fails", "code"),
    [
        (["unchanged", "improved"], [], True, 0),
        (["unchanged", "undecided"], [], False, 0),
        (["unchanged", "undecided"], [], True, 13),
        (["missing", "unchanged"], [], True, 0),
        (["failed", "undecided"], [NO_DATA, DIED], True, 3),
        (["failed", "parity failed"], [DIED], True, 11),
        (["regressed", "failed", "parity failed", "undecided"], [DIED], True, 12),
        ([], [], True, 0),
    ],
)
def test_the_shell_is_told_the_worst(outcomes, failures, undecided_fails, code):
    assert exit_code_of(outcomes, failures, undecided_fails) == code
