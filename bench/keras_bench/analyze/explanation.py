"""All that an explanation says, from what was measured."""

from dataclasses import dataclass

from keras_bench.analyze.advice import Try, tries
from keras_bench.analyze.attribution import Part, Share, functions, layers, parts
from keras_bench.analyze.explain_plan import SPLITTING_LOOPS
from keras_bench.analyze.stats import Estimate, centre
from keras_bench.analyze.steady import process_epoch_seconds
from keras_bench.records import DATA_LOOP, Profile, Run

#: How many functions are named.
FUNCTIONS = 10


@dataclass(frozen=True)
class Explanation:
    """Where an epoch of `fit` goes, and what is faster.

    `layers` and `functions` are empty without a profile. `notes` say what is missing and why, and
    what doesn't fit into a table.
    """

    workload: str
    backend: str
    epoch_seconds: Estimate
    processes: int
    parts: tuple[Part, ...]
    layers: tuple[Share, ...]
    functions: tuple[Share, ...]
    samples: int
    tries: tuple[Try, ...]
    notes: tuple[str, ...]


def explain(run: Run, profile: Profile | None, no_profile: str) -> Explanation:
    """Explain what a run measured, whose first arm is `fit` and has samples.

    Args:
        run: its arms are of one workload and backend, by different loops.
        profile: what was seen of `fit`, None where nothing was.
        no_profile: why not; empty where there is one.
    """
    fit = run.results[0]
    others = [each for each in run.results if each.arm.workload == fit.arm.workload]
    by_loop = {
        each.arm.loop: process_epoch_seconds(each.samples)
        for each in others
        if each.arm.threads == fit.arm.threads and each.parity.outcome != "differs"
    }
    notes = [f"no profile: {no_profile}"] if no_profile else []
    notes += [
        f"the epoch is split without {each.arm.loop}: {each.failure.message}"
        for each in others
        if each.arm.loop in (*SPLITTING_LOOPS, "fused") and each.failure is not None
    ]
    if data := by_loop.get(DATA_LOOP):
        passed = centre(data).value
        notes.append(
            f"going through the data alone takes {1e3 * passed:.3g} ms an epoch; within fit, other"
            " threads do a part of it meanwhile, and what a step waits for is counted as dispatch"
        )
    seen = profile is not None and bool(profile.stacks)
    return Explanation(
        workload=fit.arm.workload,
        backend=fit.arm.backend,
        epoch_seconds=centre(by_loop["fit"]),
        processes=len(fit.samples),
        parts=parts({name: by_loop[name] for name in by_loop}, profile),
        layers=layers(profile) if profile is not None and seen else (),
        functions=functions(profile, FUNCTIONS) if profile is not None and seen else (),
        samples=0 if profile is None else sum(each.samples for each in profile.stacks),
        tries=tries(run.results),
        notes=tuple(notes),
    )
