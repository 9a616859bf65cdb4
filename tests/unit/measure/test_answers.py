"""What is an answer of a worker, and what a workload has spoilt."""

import math

import pytest
from builders import sample
from hypothesis import given
from hypothesis import strategies as st

from keras_bench.measure.answers import NoAnswer, check, converted, read_line
from keras_bench.records import Sample
from keras_bench.worker.protocol import Epoch


def test_a_message_is_its_name_and_content():
    assert read_line(b'{"epoch": {"start_seconds": 1.0}}') == ("epoch", {"start_seconds": 1.0})


@pytest.mark.parametrize(
    "line",
    [
        b"hello", b"", b"\xff\xfe", b"3", b"[]", b"{}", b'{"a": 1, "b": 2}', b'{"stage": "x"',
        b'hello{"stage": "x"}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_a_workload_writes_is_no_message(line):
    with pytest.raises(NoAnswer, match="where the worker answers") as raised:
        read_line(line)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400
    assert "descriptor" in raised.value.remedy


@given(st.binary())
def test_whatever_is_written_is_a_message_or_none(line):
    try:
        name, _ = read_line(line)
    except NoAnswer:
        return
    assert isinstance(name, str)


@pytest.mark.parametrize("content", [{"start_seconds": "early"}, {}, None, [1.0, 2.0]])
def test_a_message_of_another_form_is_none(content):
    with pytest.raises(NoAnswer, match="spoils the worker's answer"):
        converted(content, Epoch)


def measured(**fields) -> Sample:
    return sample(
        **{
            "epoch_seconds": (1.0, 0.5),
            "epoch_cpu_seconds": (1.0, 0.5),
            "losses": (0.7, 0.6),
        }
        | fields
    )


def test_a_sample_that_was_measured_is_one():
    check(measured(), 2)
    check(measured(metrics={"accuracy": (0.5, 1.0)}), 2)
    check(measured(losses=()), 2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"metrics": {"accuracy": (0.5, math.nan)}}, "its accuracy is nan in epoch 2"),
        (
            {"epoch_seconds": (1.0,), "epoch_cpu_seconds": (1.0,), "losses": ()},
            "and 2 were trained",
        ),
    ],
)
def test_a_sample_that_cannot_be_what_was_measured_is_none(fields, said):
    with pytest.raises(NoAnswer, match=said):
        check(measured(**fields), 2)
