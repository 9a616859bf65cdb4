from io import StringIO

from builders import REFUSED, deviation, loop_verdict

from keras_bench.parity.places import EPOCH_METRIC
from keras_bench.report.loop_parity import print_loop_verdicts
from keras_bench.report.terminal import PLAIN_WIDTH, VisibleConsole

NEAR = deviation(EPOCH_METRIC, "accuracy", epoch=2, step=0, size=1e-8)
OFF = deviation(EPOCH_METRIC, epoch=3, step=0, size=0.5)


def printed(*verdicts, debug=False):
    where = VisibleConsole(file=StringIO(), width=PLAIN_WIDTH, highlight=False, markup=False)
    print_loop_verdicts(where, "net", verdicts, debug)
    return [" ".join(line.split()) for line in where.file.getvalue().splitlines()]


def test_each_loop_has_a_sentence_and_a_row_with_what_is_furthest():
    lines = printed(
        loop_verdict("jax", "fused", NEAR),
        loop_verdict("torch", "batch", OFF, NEAR, outcome="differs"),
    )
    assert "- jax fused agrees with fit to rounding" in lines
    said = "loss at the end of epoch 3 is off by 5.0e-01 (rounding explains 1.0e-06)"
    assert f"- torch batch parts from fit: {said}" in lines
    assert f"net torch batch differs {said}" in lines
    near = "accuracy at the end of epoch 2 is off by 1.0e-08 (rounding explains 1.0e-06)"
    assert f"net jax fused agrees {near}" in lines


def test_a_loop_that_refuses_is_told_from_one_that_fails():
    failed = {"outcome": "unchecked", "traceback": "Traceback: here"}
    refused = loop_verdict("jax", failure=REFUSED, unsupported=True, **failed)
    died = loop_verdict("torch", failure="torch: died; look", **failed)
    lines = printed(refused, died)
    assert f"- jax fused is unchecked: {REFUSED}" in lines
    assert "net jax fused unsupported" in lines
    assert "net torch fused unchecked" in lines
    assert "Traceback: here" not in lines
    assert "Traceback: here" in printed(died, debug=True)
