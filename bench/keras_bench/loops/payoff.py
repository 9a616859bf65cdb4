"""Whether compiling pays in a training that has begun, and the report of which loop trained it.

Pure functions of times that were measured; nothing is trained here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

#: The share of an epoch's training time that a fused epoch is taken to save, before one is timed.
#: In results/loops_zoo.json all networks save more on TensorFlow, and all but wide layers on torch.
#: On JAX, wide layers, convolutions, recurrent layers and the text classifier save less.
SAVED = 0.5

#: So many epochs are timed after the first, before fused ones are compared with those of fit.
COMPARED_EPOCHS = 3

#: Why fit has trained where no epoch shows yet how long a later one takes.
UNKNOWN = "it ended before an epoch had shown whether compiling pays"


@dataclass(frozen=True)
class XlaCost:
    """What XLA takes for a fused epoch, from what fit took for its own step.

    Attributes:
        ratio: how many times as long as fit's first epoch takes longer than its later ones
        most_seconds: where fit had compiled before, so that its first epoch tells nothing
    """

    ratio: float
    most_seconds: float

    def seconds(self, fit_seconds: float | None) -> float:
        """Return about how long it takes; `fit_seconds` is None where that isn't known."""
        return self.most_seconds if fit_seconds is None else self.ratio * max(fit_seconds, 0.0)


#: The upper ends of `first_epoch_seconds` less `epoch_seconds` in results/loops_zoo.json and
#: results/loops.json: by the same of fit, and by themselves. One row of TensorFlow is above, where
#: both are short: squared_error_3_5_1, with 0.7 seconds and 3.1 times those of fit.
XLA_COSTS = {"jax": XlaCost(1.2, 2.1), "tensorflow": XlaCost(2.5, 2.5)}


@dataclass(frozen=True)
class TorchCost:
    """What torch's compiler takes for a fused epoch, with the checks, from the trace of a step.

    Both take the longer the more operators a step has and the slower a machine is.

    Attributes:
        ratio: how many times as long as the trace
        least_seconds: what it takes at least, before anything is traced
        share_with_cache: of its time where torch's cache on disk has the program
    """

    ratio: float
    least_seconds: float
    share_with_cache: float

    def seconds(self, trace_seconds: float, before: tuple[float, bool] | None) -> float:
        """Return about how long it takes.

        `before` is what this program took when it was compiled last, and whether the cache had it
        then, too; None where this machine doesn't remember it.
        """
        if before is None:
            return self.ratio * trace_seconds
        seconds, again = before
        return seconds if again else self.share_with_cache * seconds


#: The upper ends in results/torch_compile_seconds.md, by tests/benchmarks/torch_compile_seconds.py.
#: The least is below all `first_epoch_seconds` of torch in results/loops.json, with the cache.
TORCH_COST = TorchCost(ratio=40.0, least_seconds=2.0, share_with_cache=0.65)

#: Gives what compiling takes, the later the better known, from how much longer the first epoch of
#: fit took than a later one: a value that costs something to find out comes after a lower bound.
Costs = Callable[[float], Iterable[float]]


@dataclass(frozen=True)
class TimedEpoch:
    """An epoch that was trained.

    Attributes:
        loop: "fit" or "fused"
        number: its number, from 1
        seconds: what its training took, without validation and callbacks
    """

    loop: str
    number: int
    seconds: float


@dataclass(frozen=True)
class Choice:
    """Which loop trains the next epoch.

    Attributes:
        loop: "fit" or "fused"
        why: why it is fit, where it is
        settled: whether it will be the same after every later epoch
    """

    loop: str
    why: str = ""
    settled: bool = False


def choose(
    epochs: Sequence[TimedEpoch], remaining: int, may_end_early: bool, costs: Costs
) -> Choice:
    """Choose the loop of the epochs to come, of which there are `remaining` at most.

    Compiling must pay in these. Where the training may end before, it must have taken as long as
    compiling takes, too: then it takes at most twice as long as it could have, whenever it ends.
    (Karlin, Manasse, Rudolph and Sleator, "Competitive snoopy caching", Algorithmica 3, 1988.)
    """
    by_fit, fused = (
        [epoch.seconds for epoch in epochs if epoch.loop == loop] for loop in ("fit", "fused")
    )
    if fused:
        return _after_fused(epochs[-1].loop, by_fit, fused)
    if len(by_fit) < 2:
        # The first compiles as well, on most backends.
        return Choice("fit", UNKNOWN)
    first, steady = by_fit[0], median(by_fit[1:])
    for cost in costs(first - steady):
        some = f"compiling (some {seconds_in_words(cost)})"
        if remaining * SAVED * steady <= cost:
            why = f"{some} wouldn't have paid in the {_epochs(remaining)} left"
            return Choice("fit", why, settled=True)
        if may_end_early and len(by_fit) * steady < cost:
            return Choice(
                "fit", f"a callback may end it early, and it took less time than {some} would have"
            )
    return Choice("fused")


def _after_fused(loop: str, by_fit: Sequence[float], fused: Sequence[float]) -> Choice:
    # The first epoch of either loop compiles.
    if loop == "fused" and len(by_fit) > 1 and len(fused) == 1 + COMPARED_EPOCHS:
        ours, theirs = median(fused[1:]), median(by_fit[1:])
        if ours >= theirs:
            return Choice("fit", "a fused epoch was no faster", settled=True)
        return Choice(loop, settled=True)
    return Choice(loop)


@dataclass(frozen=True)
class Stretch:
    """Epochs that one loop has trained in a row.

    Attributes:
        loop: "fit" or "fused"
        first: the number of the first epoch, from 1
        last: the number of the last
        epoch_seconds: the median of the epochs, but for a first one that compiles if there are more
        compile_seconds: how much longer the first epoch of a loop took; None where that isn't known
    """

    loop: str
    first: int
    last: int
    epoch_seconds: float
    compile_seconds: float | None


@dataclass(frozen=True)
class FusedReport:
    """What `fit_fused(..., fused="auto")` did.

    Attributes:
        stretches: the epochs by the loops that trained them, in order
        why: why they were trained by fit, or the last of them; empty where they were not
    """

    stretches: tuple[Stretch, ...]
    why: str

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        loops = {stretch.loop for stretch in self.stretches}
        if "fused" not in loops:
            return f"fit_fused: trained by fit: {self.why}"
        parts = []
        for stretch in self.stretches:
            which = f"epoch {stretch.first}"
            if stretch.last > stretch.first:
                which = f"epochs {stretch.first} to {stretch.last}"
            each = " each" if stretch.last > stretch.first else ""
            if stretch.loop == "fused" and stretch.compile_seconds is not None:
                parts.append(f"compiled in {seconds_in_words(stretch.compile_seconds)}")
            loop = "fused" if stretch.loop == "fused" else "by fit"
            parts.append(f"{which} {loop} ({seconds_in_words(stretch.epoch_seconds)}{each})")
        why = f": {self.why}" if self.why else ""
        return f"fit_fused: {', '.join(parts)}{why}"


def report(epochs: Sequence[TimedEpoch], why: str, was_compiled: bool = False) -> FusedReport:
    """Sum up a training; `was_compiled` tells that the fused program was there before."""
    compiled = {"fused"} if was_compiled else set()
    stretches = []
    for loop, group in groupby(epochs, key=lambda epoch: epoch.loop):
        stretch = list(group)
        seconds = [epoch.seconds for epoch in stretch]
        steady, compile_seconds = median(seconds), None
        if loop not in compiled and len(seconds) > 1:
            steady = median(seconds[1:])
            compile_seconds = max(seconds[0] - steady, 0.0)
        compiled.add(loop)
        stretches.append(
            Stretch(loop, stretch[0].number, stretch[-1].number, steady, compile_seconds)
        )
    return FusedReport(tuple(stretches), "" if stretches and loop == "fused" else why)


def seconds_in_words(seconds: float) -> str:
    """Write a time to two digits, and whole seconds to all of theirs."""
    if seconds >= 10:
        return f"{seconds:.0f} s"
    digits = f"{seconds:#.2g}"
    return f"{float(digits):f}".rstrip("0").rstrip(".") + " s" if "e" in digits else f"{digits} s"


def _epochs(number: int) -> str:
    return "1 epoch" if number == 1 else f"{number} epochs"
