"""Measures the arms of a group together: one runs for a slice while the others are stopped.

A machine's speed wanders by tens of per cent within seconds. What two workers show one after the
other differs by that much; what they show in turn, some milliseconds each, shares it. The
coordinator stops and continues whole process groups from outside; a worker only says when its
epochs began and ended.
"""

import math
import random
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean

from keras_bench.errors import BackendError, BenchError
from keras_bench.measure.active_time import ActiveClock, Slice, common_stretch
from keras_bench.measure.memory import available_memory_bytes, resident_bytes
from keras_bench.measure.outcomes import Outcome, Starting, Target
from keras_bench.measure.pinning import pin
from keras_bench.measure.process import Launcher, Worker
from keras_bench.measure.surroundings import other_cpu_seconds
from keras_bench.measure.variables import thread_count
from keras_bench.records import Arm, Sample, Task
from keras_bench.worker.protocol import STOP, Epoch, PredictingRequest, Request, TimingRequest

#: A slice where nothing asks for a longer one: shorter ones begin with cold caches too often, and
#: what longer ones meet differs more (`nox -s slices`).
SLICE_SECONDS = 0.04

#: Lengths vary by so much, as chance has it, lest they keep step with what the machine does.
JITTER = 0.2

#: How many times as long as a free epoch one in slices may take, or as short, before slices become
#: longer. The two are seen one after the other, so the machine's own wandering lies within.
MOST_SLICING = 1.5

#: What an epoch is known by when slices are chosen, free and in slices: so many, and so long.
FREE_EPOCHS, FREE_SECONDS = 1, 0.2


@dataclass(frozen=True)
class GroupSettings:
    """How the arms of a group are measured.

    Every worker trains `uncounted_epochs` freely. In slices, each then trains `least_epochs` that
    count, for `training_seconds` of its own time, at the least. `cpu` is the core that all are
    pinned to, None for none. In the first `rounds_alone` rounds, workers start one after another,
    so that the import and the first epoch of each are its own; later, they start together.
    """

    uncounted_epochs: int
    least_epochs: int
    training_seconds: float
    cpu: int | None
    rounds_alone: int = 0


def measure_groups(
    number: int,
    groups: Sequence[Sequence[Arm]],
    targets: Mapping[Arm, Target],
    slice_seconds: Mapping[Arm, float],
    seed: int,
    settings: GroupSettings,
    workers: Launcher,
) -> Iterator[Starting | Outcome]:
    """Measure the round of this number, a group after the other; yield before each and after.

    The arms of a group are in the order in which they start. `slice_seconds` is known of those
    that an earlier round has found it for. Where one fails, the others go on. Where workers start
    alone and memory has no room for a further one, those that are left have no outcome.
    """
    for place, arms in enumerate(groups, start=1):
        yield Starting(_name(arms), place, len(groups))
        for arm, result in _measure(
            number, arms, targets, slice_seconds, seed, settings, workers
        ).items():
            yield Outcome(number, arm, result)


def _name(arms: Sequence[Arm]) -> str:
    if len(arms) == 1:
        return arms[0].name
    told = [arm.environment.label or arm.contender for arm in arms]
    first = arms[0]
    alike = len({arm.contender for arm in arms}) == 1
    whole = f"{first.workload}[{first.contender}]" if alike else first.workload
    return f"{whole}, in slices: {', '.join(told)}"


@dataclass(frozen=True)
class Pace:
    """What an epoch takes, and how many threads want a core meanwhile, on average.

    That is None where the system doesn't tell, and below 1 where the epoch sleeps or waits.
    """

    epoch_seconds: float
    runnable_threads: float | None


@dataclass(eq=False)
class Member:
    """An arm of the group, its worker, and the slices in which that ran.

    `slice_seconds` is infinite where slices end with epochs.
    """

    arm: Arm
    worker: Worker
    slice_seconds: float
    slices: list[Slice] = field(default_factory=list)
    sliced_to_free: float | None = None
    _since: float | None = field(default_factory=time.monotonic)

    def go(self) -> None:
        """Let it run; it runs from its start on."""
        if self._since is None:
            # Before the signal, and after that which stops it: the coordinator may lose its own
            # core in between, and no epoch is to lie outside of a slice.
            self._since = time.monotonic()
            self.worker.signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop it, with all its threads and children."""
        if self._since is not None:
            self.worker.signal(signal.SIGSTOP)
            self.slices.append((self._since, time.monotonic()))
            self._since = None

    def run_on(self) -> None:
        """Count what it ran so far, and let it run."""
        if self._since is not None:
            now = time.monotonic()
            self.slices.append((self._since, now))
            self._since = now

    def needed_slice_seconds(self) -> float:
        """Return how long its slices are; where they end with epochs, how long the last one was."""
        if not math.isinf(self.slice_seconds):
            return self.slice_seconds
        begin, end = self.slices[-1]
        return end - begin

    def ran_since(self, start: float) -> float:
        """Return how long it ran after a point in time."""
        return sum(end - max(start, begin) for begin, end in self.slices if end > start)

    def mean_epoch_seconds_since(self, start: float) -> float:
        """Return what its epochs after a point in time took, the mean of their active times."""
        clock = ActiveClock(self.slices)
        return fmean(clock.epoch_seconds(epoch) for epoch in self.epochs_since(start))

    def epochs_since(self, start: float) -> list[Epoch]:
        """Return the epochs that began after a point in time and may count.

        Where slices end with epochs, those lie wholly within one: what sleeps goes on sleeping
        while it is stopped.
        """
        later = [epoch for epoch in self.worker.epochs if epoch.start_seconds >= start]
        if not math.isinf(self.slice_seconds):
            return later
        return [epoch for epoch in later if self._is_uncut(epoch)]

    def shares(self, start: float, stretch: Slice) -> tuple[float, ...]:
        """Return how much of each epoch lies within a stretch, of those that may count."""
        clock, counting = ActiveClock(self.slices), set(self.epochs_since(start))
        return tuple(
            clock.share(epoch, stretch) if epoch in counting else 0.0
            for epoch in self.worker.epochs
        )

    def was_stopped_in(self, epoch: Epoch) -> bool:
        """Tell whether an epoch lies between the last two slices, and thus in none."""
        if len(self.slices) < 2:
            return False
        (_, stopped), (continued, _) = self.slices[-2:]
        return stopped <= epoch.start_seconds and epoch.end_seconds <= continued

    def _is_uncut(self, epoch: Epoch) -> bool:
        return any(
            begin <= epoch.start_seconds and epoch.end_seconds <= end for begin, end in self.slices
        )


def longer_slice_seconds(
    slice_seconds: float, sliced_epoch_seconds: float, free: Pace
) -> float | None:
    """Return a longer length, infinite for whole epochs, or None where it is long enough.

    An epoch is longer in slices where caches are cold or many threads are woken at each: twice the
    length makes up for it. It is shorter where it sleeps, which goes on while it is stopped: then
    only whole epochs tell its time. One that asks for a core all the time is shorter because the
    machine has become faster meanwhile.
    """
    sliced_to_free = sliced_epoch_seconds / free.epoch_seconds
    if sliced_to_free > MOST_SLICING:
        longer = 2 * slice_seconds
        return longer if longer < free.epoch_seconds / 2 else math.inf
    sleeps = free.runnable_threads is None or free.runnable_threads < 1 / MOST_SLICING
    return math.inf if sliced_to_free < 1 / MOST_SLICING and sleeps else None


class Group:
    """The members that are left, and the errors of those that failed."""

    def __init__(self, settings: GroupSettings, timeout_seconds: float, lot: str) -> None:
        self.members: list[Member] = []
        self.errors: dict[Arm, BenchError] = {}
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._chance = random.Random(lot)

    @contextmanager
    def concerning(self, arm: Arm) -> Iterator[None]:
        """Let an error of the block be the end of one arm only."""
        try:
            yield
        except BenchError as error:
            self.errors[arm] = error
            for member in self.members:
                if member.arm == arm:
                    member.stop()
            self.members = [member for member in self.members if member.arm != arm]

    def has_room(self) -> bool:
        """Tell whether another worker as large as the largest would fit into memory beside these.

        Those of a group are alive together.
        """
        largest = max((resident_bytes(each.worker.pid) for each in self.members), default=0)
        return largest < available_memory_bytes()

    def warm_up(self) -> None:
        """Wait until each has trained its uncounted epochs, and stop it there."""
        for member in tuple(self.members):
            with self.concerning(member.arm):
                member.worker.wait_for_epochs(self._settings.uncounted_epochs)
                if self._settings.cpu is not None:
                    pin(member.worker.pid, self._settings.cpu)
                member.worker.find_groups()
                member.stop()

    def find_slices(self, wanted: Collection[Arm]) -> None:
        """Find for each of these arms how long its slices have to be."""
        pending = [member for member in self.members if member.arm in wanted]
        while pending:
            free = {member.arm: self._free_pace(member) for member in pending}
            sliced = self._sliced_epoch_seconds()
            pending = [
                member
                for member in pending
                if member in self.members
                and not self._settled(member, sliced[member.arm], free[member.arm])
            ]

    def _settled(self, member: Member, sliced_epoch_seconds: float, free: Pace) -> bool:
        """Lengthen the slices of a member, or keep them; tell whether there is nothing to try."""
        longer = longer_slice_seconds(member.slice_seconds, sliced_epoch_seconds, free)
        if longer is None:
            member.sliced_to_free = sliced_epoch_seconds / free.epoch_seconds
            return True
        member.slice_seconds = longer
        # Whole epochs are as long as free ones, and there is nothing longer.
        return math.isinf(longer)

    def _free_pace(self, member: Member) -> Pace:
        """Return the pace of a member while it isn't stopped; none where it fails."""
        before = member.worker.demand()
        member.go()
        start = time.monotonic()
        with self.concerning(member.arm):
            while (
                len(member.epochs_since(start)) < FREE_EPOCHS
                or time.monotonic() < start + FREE_SECONDS
            ):
                member.worker.wait_for_epochs(len(member.worker.epochs) + 1)
                member.run_on()
            member.stop()
            after = member.worker.demand()
            runnable_threads = None
            if before is not None and after is not None:
                runnable_threads = after.since(before) / member.ran_since(start)
            return Pace(member.mean_epoch_seconds_since(start), runnable_threads)
        return Pace(math.nan, None)

    def _sliced_epoch_seconds(self) -> dict[Arm, float]:
        """Return what an epoch of each member takes while all run in slices."""
        start = time.monotonic()
        while not all(
            len(member.epochs_since(start)) >= FREE_EPOCHS
            and member.ran_since(start) >= FREE_SECONDS
            for member in self.members
        ):
            self._slice_all()
        return {member.arm: member.mean_epoch_seconds_since(start) for member in self.members}

    def measure(self) -> Mapping[Arm, tuple[float, ...]]:
        """Let all train in slices; return for each how much of each epoch counts."""
        start = time.monotonic()
        while self.members:
            self._slice_all()
            if any(
                member.ran_since(start) < self._settings.training_seconds for member in self.members
            ):
                continue
            stretch = common_stretch([member.epochs_since(start) for member in self.members])
            if stretch is None:
                continue
            shares = {member.arm: member.shares(start, stretch) for member in self.members}
            if all(sum(each) >= self._settings.least_epochs for each in shares.values()):
                return shares
        return {}

    def _slice_all(self) -> None:
        """Give each a slice, there and back again: a steady drift falls on all alike.

        Two slices in a row are one of twice the length; so chance says who has those at the ends.
        """
        order = self._chance.sample(self.members, k=len(self.members))
        for member in (*order, *reversed(order)):
            if member in self.members:
                with self.concerning(member.arm):
                    self._slice(member)

    def _slice(self, member: Member) -> None:
        """Let a member run for a slice; alone it needn't be stopped at its end."""
        worker, known = member.worker, len(member.worker.epochs)
        member.go()
        if len(self.members) == 1:
            worker.wait_for_epochs(known + 1)
            # All that was heard of lies before.
            member.run_on()
            return
        if math.isinf(member.slice_seconds):
            for count in (1, 2):
                worker.wait_for_epochs(known + count)
        else:
            time.sleep(self._slice_seconds() * self._chance.uniform(1 - JITTER, 1 + JITTER))
        member.stop()
        worker.hear()
        if any(member.was_stopped_in(epoch) for epoch in worker.epochs[known:]):
            raise BackendError(
                member.arm.name,
                "it trains on while it is stopped, so its time in slices can't be told",
                "let it train in the worker's own process, or in a child of that",
            )
        last = worker.epochs[-1].end_seconds
        if member.ran_since(last) > self._timeout_seconds:
            raise worker.failure()

    def _slice_seconds(self) -> float:
        """Return how long slices are: as long as the longest that a member needs.

        Those of others would add up to little beside them.
        """
        return max(member.needed_slice_seconds() for member in self.members)


def _measure(
    number: int,
    arms: Sequence[Arm],
    targets: Mapping[Arm, Target],
    slice_seconds: Mapping[Arm, float],
    seed: int,
    settings: GroupSettings,
    workers: Launcher,
) -> Mapping[Arm, Sample | BenchError]:
    """Return a sample of each arm, or the error of one that failed."""
    start, others_before = time.perf_counter(), other_cpu_seconds()
    group = Group(settings, workers.timeout_seconds, f"{seed} {number}")
    starts_alone = len(arms) == 1 or number <= settings.rounds_alone
    samples: dict[Arm, Sample] = {}
    with ExitStack() as stack:
        for arm in arms:
            if starts_alone and not group.has_room():
                break
            with group.concerning(arm):
                request = _request(arm, targets[arm], seed)
                worker = stack.enter_context(workers.start(targets[arm].python, request))
                group.members.append(Member(arm, worker, slice_seconds.get(arm, SLICE_SECONDS)))
                if starts_alone:
                    group.warm_up()
        group.warm_up()
        if len(group.members) > 1:
            group.find_slices([arm for arm in arms if arm not in slice_seconds])
        shares = group.measure()
        for member in group.members:
            member.go()
            member.worker.tell(STOP)
        for member in tuple(group.members):
            with group.concerning(member.arm):
                sample = member.worker.answer(Sample)
                member.run_on()
                samples[member.arm] = in_active_time(sample, member, shares[member.arm])
        process_seconds = time.perf_counter() - start
    # Now that the workers have ended, their own CPU time is known.
    others = max(0.0, other_cpu_seconds() - others_before)
    busy = others / (time.perf_counter() - start)
    found = {
        arm: replace(
            sample,
            round=number,
            started_alone=starts_alone,
            process_seconds=process_seconds,
            other_busy_cores=busy,
        )
        for arm, sample in samples.items()
    }
    return {**found, **group.errors}


def in_active_time(sample: Sample, member: Member, shares: tuple[float, ...]) -> Sample:
    """Return a sample whose epochs, or calls, took active time."""
    clock = ActiveClock(member.slices)
    active = tuple(
        seconds * clock.epoch_seconds(epoch) / (epoch.end_seconds - epoch.start_seconds)
        for seconds, epoch in zip(sample.epoch_seconds, member.worker.epochs, strict=True)
    )
    # Those that came while it was told to end don't count.
    counted = (*shares, *[0.0] * (len(active) - len(shares)))
    return replace(
        sample,
        epoch_seconds=active,
        counted=counted,
        slice_seconds=None if math.isinf(member.slice_seconds) else member.slice_seconds,
        sliced_to_free=member.sliced_to_free,
    )


def _request(arm: Arm, target: Target, seed: int) -> Request:
    """Return what a worker is asked for."""
    by_task: dict[Task, Callable[..., Request]] = {
        "train": partial(TimingRequest, loop=arm.loop, added_cpu_seconds=target.added_cpu_seconds),
        "predict": PredictingRequest,
    }
    return by_task[arm.task](
        workload=target.workload, backend=arm.backend, seed=seed, threads=thread_count(arm.threads)
    )
