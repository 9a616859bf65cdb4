"""Measures the arms of a group together: one runs for a slice while the others are stopped.

A machine's speed wanders by tens of per cent within seconds. What two workers show one after the
other differs by that much; what they show in turn, some milliseconds each, shares it. The
coordinator stops and continues whole process groups from outside; a worker only says when its
epochs began and ended.
"""

import math
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from keras_bench.errors import BackendError, BenchError
from keras_bench.measure.active_time import common_stretch
from keras_bench.measure.member import MOST_BEFORE, Member
from keras_bench.measure.memory import available_memory_bytes, resident_bytes
from keras_bench.measure.outcomes import Outcome, Starting, Target
from keras_bench.measure.pinning import pin
from keras_bench.measure.process import Launcher
from keras_bench.measure.slice_length import Pace, longer_slice_seconds
from keras_bench.measure.surroundings import other_cpu_seconds
from keras_bench.measure.variables import thread_count
from keras_bench.records import Arm, Sample, Task
from keras_bench.worker.protocol import STOP, PredictingRequest, Request, TimingRequest

#: A slice where nothing asks for a longer one: shorter ones begin with cold caches too often, and
#: what longer ones meet differs more (`nox -s slices`).
SLICE_SECONDS = 0.04

#: Lengths vary by so much, as chance has it, lest they keep step with what the machine does.
JITTER = 0.2

#: How long an arm runs without slices to show its pace, for an epoch at the least.
FREE_SECONDS = 0.2


@dataclass(frozen=True)
class GroupSettings:
    """How the arms of a group are measured.

    Every worker trains `uncounted_epochs` freely. In slices, each then trains for an epoch, and for
    `training_seconds` of its own time, at the least. `cpu` is the core that all are pinned to, None
    for none. In the first `rounds_alone` rounds, workers start one after another, so that the
    import and the first epoch of each are its own; later, they import at the same time.
    """

    uncounted_epochs: int
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


class Group:
    """The members that are left, and the errors of those that failed.

    One that is alone from the beginning is never stopped.
    """

    def __init__(
        self, settings: GroupSettings, timeout_seconds: float, lot: str, is_alone: bool = False
    ) -> None:
        self.members: list[Member] = []
        self.errors: dict[Arm, BenchError] = {}
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._is_alone = is_alone
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

    @contextmanager
    def started(
        self, arm: Arm, target: Target, slice_seconds: float, seed: int, workers: Launcher
    ) -> Iterator[None]:
        """Start the worker of an arm as a member, and end it when the block is left.

        `slice_seconds` is infinite for slices that end with epochs. Raises what `Launcher.start`
        raises.
        """
        with workers.start(target.python, _request(arm, target, seed)) as worker:
            self.members.append(Member(arm, worker, slice_seconds))
            yield

    def ended(self) -> list[tuple[Member, Sample]]:
        """Let all end their training; return what each answers, of those that don't fail."""
        for member in self.members:
            member.go()
            member.worker.tell(STOP)
        answers = []
        for member in tuple(self.members):
            with self.concerning(member.arm):
                known = len(member.worker.epochs)
                sample = member.worker.answer(Sample)
                member.run_on()
                _refuse_epochs_while_stopped(member, known)
                answers.append((member, sample))
        return answers

    def has_room(self) -> bool:
        """Tell whether another worker as large as the largest would fit into memory beside these.

        Those of a group are alive together.
        """
        largest = max((resident_bytes(each.worker.pid) for each in self.members), default=0)
        return largest < available_memory_bytes()

    def warm_up(self) -> None:
        """Let those that are new train their uncounted epochs, and stop them there.

        They import and build at the same time. They train one after another, unless each has a
        single thread: pools of many, which wait for each other at every step, would do so for many
        times as long where they share the cores.
        """
        new = [member for member in self.members if not member.worker.epochs]
        self._with_each(new, lambda member: member.worker.wait_until_ready())
        together = all(thread_count(member.arm.threads) == 1 for member in new)
        for training in [new] if together else [[member] for member in new]:
            self._with_each(training, lambda member: member.worker.begin())
            self._with_each(training, self._train_uncounted)

    def _train_uncounted(self, member: Member) -> None:
        member.worker.wait_for_epochs(self._settings.uncounted_epochs)
        if self._settings.cpu is not None:
            pin(member.worker.pid, self._settings.cpu)
        member.worker.find_groups()
        if not self._is_alone:
            member.stop()

    def _with_each(self, members: Iterable[Member], act: Callable[[Member], object]) -> None:
        """Do something with each of these members that hasn't failed, and notice if it does."""
        for member in tuple(members):
            if member in self.members:
                with self.concerning(member.arm):
                    act(member)

    def free_paces(self, wanted: Collection[Arm]) -> Mapping[Arm, Pace]:
        """Let each of these arms run alone for a while, and not in slices; return their paces."""
        paces = {}
        for member in tuple(self.members):
            if member.arm in wanted:
                with self.concerning(member.arm):
                    paces[member.arm] = self._free_pace(member, least_epochs=1)
        return paces

    def _free_pace(self, member: Member, least_epochs: int) -> Pace:
        before = member.worker.demand()
        member.go()
        start = time.monotonic()
        while (
            len(epochs := member.epochs_ended_since(start)) < least_epochs
            or time.monotonic() < start + FREE_SECONDS
        ):
            member.worker.wait_for_epochs(len(member.worker.epochs) + 1)
            member.run_on()
        member.stop()
        after = member.worker.demand()
        runnable_threads = None
        if before is not None and after is not None:
            runnable_threads = after.since(before) / member.ran_since(start)
        return Pace(member.mean_epoch_seconds(epochs), runnable_threads)

    def measure(self, free: Mapping[Arm, Pace]) -> Mapping[Arm, tuple[float, ...]]:
        """Let all train in slices; return for each how much of each epoch counts.

        Where slices turn out to be too short for one of those whose free pace is given, they become
        longer, and all is measured again.
        """
        while True:
            shares = self._measure_once()
            # Of all of them, not up to the first.
            lengthened = [
                self._lengthen_slices(member, shares[member.arm], free[member.arm])
                for member in tuple(self.members)
                if member.arm in free and not math.isinf(member.slice_seconds)
            ]
            if not any(lengthened):
                return shares

    def _measure_once(self) -> Mapping[Arm, tuple[float, ...]]:
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
            if all(sum(each) >= 1 - MOST_BEFORE for each in shares.values()):
                return shares
        return {}

    def _lengthen_slices(self, member: Member, shares: tuple[float, ...], free: Pace) -> bool:
        """Lengthen the slices of a member if it needs that; tell whether it does.

        Epochs of one workload may differ: before all is measured again, it runs freely for as many
        epochs as in slices.
        """
        sliced_epoch_seconds = member.mean_epoch_seconds(member.worker.epochs, shares)
        longer = longer_slice_seconds(member.slice_seconds, sliced_epoch_seconds, free)
        if longer is not None:
            with self.concerning(member.arm):
                free = self._free_pace(member, math.ceil(sum(shares)))
            longer = longer_slice_seconds(member.slice_seconds, sliced_epoch_seconds, free)
        if longer is None:
            member.sliced_to_free = sliced_epoch_seconds / free.epoch_seconds
            return False
        member.slice_seconds, member.sliced_to_free = longer, None
        return True

    def _slice_all(self) -> None:
        """Give each a slice, there and back again: a steady drift falls on all alike.

        Two slices in a row are one of twice the length; so chance says who has those at the ends.
        """
        order = self._chance.sample(self.members, k=len(self.members))
        self._with_each((*order, *reversed(order)), self._slice)

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
        _refuse_epochs_while_stopped(member, known)
        last = worker.epochs[-1].end_seconds
        if member.ran_since(last) > self._timeout_seconds:
            raise worker.failure()

    def _slice_seconds(self) -> float:
        """Return how long slices are: as long as the longest that a member needs.

        Those of others would add up to little beside them.
        """
        return max(member.needed_slice_seconds() for member in self.members)


def _refuse_epochs_while_stopped(member: Member, known: int) -> None:
    """Raise BackendError where one of the epochs after those known was trained in no slice."""
    if any(member.was_stopped_in(epoch) for epoch in member.worker.epochs[known:]):
        raise BackendError(
            member.arm.name,
            "it trains on while it is stopped, so its time in slices can't be told",
            "let it train in the worker's own process, or in a child of that",
        )


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
    is_alone = len(arms) == 1
    group = Group(settings, workers.timeout_seconds, f"{seed} {number}", is_alone)
    starts_alone = is_alone or number <= settings.rounds_alone
    with ExitStack() as stack:
        for arm in arms:
            if starts_alone and not group.has_room():
                break
            with group.concerning(arm):
                length = slice_seconds.get(arm, SLICE_SECONDS)
                stack.enter_context(group.started(arm, targets[arm], length, seed, workers))
                if starts_alone:
                    group.warm_up()
        group.warm_up()
        unknown = [arm for arm in arms if arm not in slice_seconds]
        free = group.free_paces(unknown) if len(group.members) > 1 else {}
        shares = group.measure(free)
        samples = {
            member.arm: member.in_active_time(sample, shares[member.arm])
            for member, sample in group.ended()
        }
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


def _request(arm: Arm, target: Target, seed: int) -> Request:
    """Return what a worker is asked for."""
    by_task: dict[Task, Callable[..., Request]] = {
        "train": partial(TimingRequest, loop=arm.loop, added_cpu_seconds=target.added_cpu_seconds),
        "predict": PredictingRequest,
    }
    return by_task[arm.task](
        workload=target.workload, backend=arm.backend, seed=seed, threads=thread_count(arm.threads)
    )
