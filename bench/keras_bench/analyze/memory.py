"""Which arms of a group fit into memory together: their processes are alive at the same time."""

from collections.abc import Sequence

from keras_bench.analyze.stats import centre
from keras_bench.analyze.steady import process_epoch_seconds
from keras_bench.records import Arm, ArmResult


def fit_together(results: Sequence[ArmResult], available_bytes: int | None) -> bool:
    """Tell whether all fit, by the memory that was available and the largest that each has used.

    One that wasn't measured yet is taken for as large as the largest; where none was, all fit.
    """
    return available_bytes is None or sum(_peaks(results).values()) <= available_bytes


def fitting(results: Sequence[ArmResult], available_bytes: int | None) -> list[ArmResult]:
    """Return the arms of one workload that a round can measure together.

    All where they fit. Else the fastest, by which the others are judged, and of the others as many
    as there is room for, those with the fewest processes first. Where not even two fit, the one
    with the fewest processes alone.
    """
    if available_bytes is None or fit_together(results, available_bytes):
        return list(results)
    by_need = sorted(results, key=lambda each: len(each.samples))
    measured = [each for each in results if each.samples]
    fastest = min(measured, key=lambda each: centre(process_epoch_seconds(each.samples)).value)
    peaks = _peaks(results)
    chosen = [fastest]
    for each in by_need:
        together = sum(peaks[other.arm] for other in (*chosen, each))
        if each is not fastest and together <= available_bytes:
            chosen.append(each)
    return chosen if len(chosen) > 1 else by_need[:1]


def _peaks(results: Sequence[ArmResult]) -> dict[Arm, int]:
    known = {
        each.arm: max((sample.peak_rss_bytes for sample in each.samples), default=0)
        for each in results
    }
    largest = max(known.values(), default=0)
    return {arm: peak or largest for arm, peak in known.items()}
