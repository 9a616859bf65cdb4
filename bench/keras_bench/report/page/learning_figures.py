"""The plots of what the backends of a run learn: losses, in the parity check and while timed."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_bench.analyze.numbers import number
from keras_bench.records import ArmResult
from keras_bench.report.page.content import Figure
from keras_bench.report.page.marks import lines, nested_lines


def parity_figure(results: Sequence[ArmResult]) -> Figure | None:
    """Draw the losses of the parity check over the reference's; None where none were kept."""
    learners = [
        (each.arm.contender, each.parity.running_losses)
        for each in results
        if each.parity.running_losses
    ]
    known = (each.parity.reference_losses for each in results)
    reference = next((losses for losses in known if losses), ())
    if not learners:
        return None
    series = [("reference", reference), *learners]
    records: list[dict[str, Any]] = [
        {
            "contender": name,
            "checked_step": step,
            "running_loss": loss,
            "deviation": loss / reference[step - 1] - 1
            if step <= len(reference) and reference[step - 1]
            else None,
        }
        for name, losses in series
        for step, loss in enumerate(losses, start=1)
    ]
    largest = max(
        (abs(each["deviation"]) for each in records if each["deviation"] is not None), default=None
    )
    said = "" if largest is None else f" The largest relative deviation is {largest:.1e}."
    return Figure(
        "Running loss after each step that the parity check looks at, on the same weights and"
        " batches: "
        f"{', '.join(name for name, _ in series)}.{said}",
        nested_lines(records, [name for name, _ in series], "checked_step", "running_loss"),
        records,
        "From the same weights on the same batches, after each of the few steps that the check"
        " looks at: the first ones, and the last. Lines that agree lie within each other, the"
        f" reference widest.{said}",
    )


def metric_figures(results: Sequence[ArmResult]) -> list[Figure]:
    """Draw the loss, and all else that `fit` reports, of the first timed training of each backend.

    A validation may skip epochs.
    """
    firsts = {each.arm.contender: each.samples[0] for each in results if each.samples}
    firsts = {contender: sample for contender, sample in firsts.items() if sample.losses}
    if not firsts:
        return []
    shortest = min(len(sample.losses) for sample in firsts.values())
    series = {
        contender: {"loss": sample.losses, **sample.metrics} for contender, sample in firsts.items()
    }
    names = dict.fromkeys(name for reported in series.values() for name in reported)
    figures = (
        _metric_figure(
            name,
            {
                contender: [
                    (epoch, value)
                    for epoch, value in enumerate(reported.get(name, ())[:shortest], start=1)
                    if value is not None
                ]
                for contender, reported in series.items()
            },
        )
        for name in names
    )
    return [figure for figure in figures if figure is not None]


def _metric_figure(name: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> Figure | None:
    known = {contender: values for contender, values in series.items() if values}
    if not known:
        return None
    records = [
        {"contender": contender, "epoch": epoch, "metric": name, "value": value}
        for contender, values in known.items()
        for epoch, value in values
    ]
    ends = [f"{contender} ends at {number(values[-1][1])}" for contender, values in known.items()]
    return Figure(
        f"{name} after each epoch of the first timed training: {'; '.join(ends)}",
        lines(records, "epoch", "value", name),
        records,
        f"{name}: each backend from random weights of its own, in an order of its own; these lines"
        " needn't lie on each other.",
    )
