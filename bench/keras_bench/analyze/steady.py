"""What of a sample counts: the steady epochs, after the first one and the warm-up."""

from collections.abc import Sequence

from keras_bench.analyze.stats import centre
from keras_bench.records import Clock, Sample

#: Epochs after the first that are run and not counted. TensorFlow traces once more in the
#: second epoch when the last batch is a smaller one.
WARMUP_EPOCHS = 1

#: The first epoch and the warm-up: the epochs that every process runs before it counts.
UNCOUNTED_EPOCHS = 1 + WARMUP_EPOCHS


def steady(epochs: Sequence[float]) -> Sequence[float]:
    """Return the part of a per-epoch series that counts.

    A training too short to have steady epochs gives the last one it has; the plan asks for none.
    """
    return epochs[UNCOUNTED_EPOCHS:] or epochs[-1:]


def steady_count(sample: Sample) -> int:
    """Return how many steady epochs a process ran, or steady calls of a prediction."""
    return sample.calls_per_block * len(steady(sample.epoch_seconds))


def process_epoch_seconds(samples: Sequence[Sample]) -> list[float]:
    """Return one value per process: the trimmed mean of its steady epochs, in seconds.

    Trimmed, because a stall of the machine lengthens a few epochs without limit; a mean and no
    median, because some processes change between two speeds every few epochs.
    """
    return [centre(steady(sample.epoch_seconds)).value for sample in samples]


def process_epoch_cpu_seconds(samples: Sequence[Sample]) -> list[float]:
    """Return one value per process: the trimmed mean of its steady epochs' CPU seconds."""
    return [centre(steady(sample.epoch_cpu_seconds)).value for sample in samples]


def process_epochs_by(clock: Clock, samples: Sequence[Sample]) -> list[float]:
    """Return one value per process: what an epoch takes by this clock, in seconds."""
    if clock == "cpu":
        return process_epoch_cpu_seconds(samples)
    return process_epoch_seconds(samples)
