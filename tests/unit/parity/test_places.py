import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bench.parity.places import INITIAL_WEIGHTS, LOSS, STAGES, UPDATE, Place


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    epoch=st.integers(0, 999),
    step=st.integers(0, 10**6),
    stage=st.sampled_from(STAGES),
    subject=st.text("abz019/_#: ", min_size=1),
)
def test_a_key_is_read_back_as_the_place_it_was_written_from(epoch, step, stage, subject):
    place = Place(epoch, step, stage, subject)
    assert Place.from_key(place.key) == place


def test_a_key_names_everything_and_a_subject_keeps_its_slashes():
    place = Place(2, 31, UPDATE, "sequential/dense_1/kernel")
    assert place.key == "2/31/update/sequential/dense_1/kernel"
    assert Place.from_key(place.key).subject == "sequential/dense_1/kernel"
    assert Place(1, 1, LOSS).key == "1/1/loss/loss"


def test_no_two_stages_share_a_name_and_none_holds_a_slash():
    assert len(set(STAGES)) == len(STAGES)
    assert not [stage for stage in STAGES if "/" in stage]
    assert STAGES[0] == INITIAL_WEIGHTS


@pytest.mark.parametrize("key", ["x", "own/dense/kernel", "1/loss"])
def test_what_is_no_place_is_not_read_as_one(key):
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        Place.from_key(key)
