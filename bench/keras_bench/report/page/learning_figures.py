"""The plots of what the backends of a run learn: losses, in the parity check and while timed."""

from collections.abc import Sequence
from typing import Any

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


def losses_figure(results: Sequence[ArmResult]) -> Figure | None:
    """Draw the losses of the first timed training of each backend."""
    learners = [
        (each.arm.contender, each.samples[0].losses)
        for each in results
        if each.samples and each.samples[0].losses
    ]
    if not learners:
        return None
    shortest = min(len(losses) for _, losses in learners)
    records: list[dict[str, Any]] = [
        {"contender": name, "epoch": epoch, "loss": loss}
        for name, losses in learners
        for epoch, loss in enumerate(losses[:shortest], start=1)
    ]
    return Figure(
        "Loss after each epoch of the first timed training: "
        + "; ".join(f"{name} ends at {losses[shortest - 1]:.4f}" for name, losses in learners),
        lines(records, "epoch", "loss"),
        records,
        "Each backend from random weights of its own, in an order of its own: these lines needn't"
        " lie on each other.",
    )
