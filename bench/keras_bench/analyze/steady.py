"""What of a sample counts: the steady epochs, after the first one and the warm-up."""

from collections.abc import Sequence
from statistics import fmean

from keras_bench.analyze.stats import centre
from keras_bench.records import Clock, Sample

#: Epochs after the first that are run and not counted. TensorFlow traces once more in the
#: second epoch when the last batch is a smaller one.
WARMUP_EPOCHS = 1

#: The first epoch and the warm-up: the epochs that every process runs before it counts.
UNCOUNTED_EPOCHS = 1 + WARMUP_EPOCHS


def steady_places(sample: Sample) -> Sequence[int]:
    """Return the places of the epochs that count, from 0.

    A training too short to have steady epochs gives the last one it has; the plan asks for none.
    """
    if sample.counted is not None:
        return [place for place, share in enumerate(sample.counted) if share > 0]
    count = len(sample.epoch_seconds)
    return range(min(UNCOUNTED_EPOCHS, count - 1), count)


def steady(sample: Sample, clock: Clock = "wall") -> tuple[float, ...]:
    """Return what each epoch that counts took by this clock, in seconds."""
    seconds = sample.epoch_seconds if clock == "wall" else sample.epoch_cpu_seconds
    return tuple(seconds[place] for place in steady_places(sample))


def steady_count(sample: Sample) -> int:
    """Return how many steady epochs a process ran, or steady calls of a prediction."""
    return sample.calls_per_block * len(steady_places(sample))


def process_epoch(sample: Sample, clock: Clock = "wall") -> float:
    """Return what an epoch of this process took by this clock, in seconds.

    In slices it is the mean over the stretch that counts, of epochs at its ends as much as lies in
    it: all of a group have met the same weather there. Without slices it is trimmed, because a
    stall of the machine lengthens a few epochs without limit; a mean and no median, because some
    processes change between two speeds every few epochs.
    """
    if sample.counted is None:
        return centre(steady(sample, clock)).value
    seconds = sample.epoch_seconds if clock == "wall" else sample.epoch_cpu_seconds
    return fmean(seconds, weights=sample.counted)


def process_epoch_seconds(samples: Sequence[Sample]) -> list[float]:
    """Return what an epoch of each process took, in seconds."""
    return [process_epoch(sample) for sample in samples]


def process_epochs_by(clock: Clock, samples: Sequence[Sample]) -> list[float]:
    """Return what an epoch of each process took by this clock, in seconds."""
    return [process_epoch(sample, clock) for sample in samples]


def with_starts(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return those whose imports, `build()` and first epochs tell what these take.

    Those that started alone; all where none did.
    """
    return [sample for sample in samples if sample.started_alone] or samples
