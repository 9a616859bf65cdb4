import pytest
from builders import DIFFERS, FIRST_LOOK, around, failure, gate, side, two_sides

from keras_bench.analyze.pairs import pairs
from keras_bench.commands.gate import exit_code
from keras_bench.errors import ParityFailed, Regressed, Undecided, WorkerDied, WorkerTimeout
from keras_bench.records import Parity

TIMEOUT = failure(WorkerTimeout("net on jax", "no answer", "give it longer"))

UNCHANGED = two_sides(around(0.0, FIRST_LOOK), workload="unchanged")
IMPROVED = two_sides(around(-0.1, 2 * FIRST_LOOK), workload="improved")
REGRESSED = two_sides(around(0.1, 2 * FIRST_LOOK), workload="regressed")
TENTATIVE = two_sides(around(0.1, FIRST_LOOK), workload="tentative")
UNDECIDED = two_sides([0.0, 0.1], workload="undecided")
PARITY_FAILED = (
    side("baseline", workload="odd"),
    side("candidate", workload="odd", parity=DIFFERS),
)
DIED = (side("baseline", workload="died", failure=failure()), side("candidate", workload="died"))
LATE = (side("baseline", workload="late"), side("candidate", workload="late", failure=TIMEOUT))
UNCHECKED_BY_A_FAULT = two_sides(
    around(0.0, FIRST_LOOK),
    workload="unchecked",
    parity=Parity("unchecked", "its worker died", exit_code=WorkerDied.exit_code),
)
BOTH = (
    side("baseline", workload="both", failure=failure()),
    side("candidate", workload="both", parity=DIFFERS),
)


def code(*of_pairs, undecided_fails=False):
    sides = [each for pair in of_pairs for each in pair]
    return exit_code(pairs(gate(*sides)), undecided_fails)


@pytest.mark.parametrize(
    ("of_pairs", "expected"),
    [
        ((UNCHANGED,), 0),
        ((IMPROVED, UNCHANGED), 0),
        ((REGRESSED,), Regressed.exit_code),
        ((TENTATIVE,), 0),
        ((PARITY_FAILED,), ParityFailed.exit_code),
        ((DIED,), WorkerDied.exit_code),
        ((LATE,), WorkerTimeout.exit_code),
        ((UNCHECKED_BY_A_FAULT,), WorkerDied.exit_code),
        # One that failed has no verdict on its parity either.
        ((BOTH,), WorkerDied.exit_code),
    ],
)
def test_each_outcome_has_its_code(of_pairs, expected):
    assert code(*of_pairs) == expected
    assert code(UNCHANGED, *of_pairs) == code(*of_pairs, UNCHANGED) == expected


@pytest.mark.parametrize("undecided_fails", [False, True])
@pytest.mark.parametrize("other", [UNCHANGED, UNDECIDED, PARITY_FAILED, DIED])
def test_a_regression_goes_before_everything(other, undecided_fails):
    for order in ((REGRESSED, other), (other, REGRESSED)):
        assert code(*order, undecided_fails=undecided_fails) == Regressed.exit_code


@pytest.mark.parametrize("undecided_fails", [False, True])
@pytest.mark.parametrize("other", [UNDECIDED, DIED, LATE])
def test_failed_parity_goes_before_a_failure(other, undecided_fails):
    for order in ((PARITY_FAILED, other), (other, PARITY_FAILED)):
        assert code(*order, undecided_fails=undecided_fails) == ParityFailed.exit_code


def test_a_failure_goes_before_what_is_undecided_and_the_first_of_several_counts():
    for order in ((UNDECIDED, DIED), (DIED, UNDECIDED)):
        assert code(*order, undecided_fails=True) == WorkerDied.exit_code
    assert code(DIED, LATE) == WorkerDied.exit_code
    assert code(LATE, DIED) == WorkerTimeout.exit_code


@pytest.mark.parametrize("undecided", [UNDECIDED, TENTATIVE])
def test_what_is_undecided_fails_where_it_is_to(undecided):
    assert code(undecided, UNCHANGED) == 0
    assert code(undecided, UNCHANGED, undecided_fails=True) == Undecided.exit_code


def test_what_is_decided_fails_on_no_account():
    assert code(UNCHANGED, IMPROVED, undecided_fails=True) == 0
