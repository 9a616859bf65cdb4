"""The options that several commands share, and what their values may be."""

import math
import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from keras_bench.fit_values import fault_of, shown
from keras_bench.measure.variables import why_not_passed
from keras_bench.records import (
    BACKENDS,
    BACKENDS_OF,
    DEFAULT_LOOPS,
    TRAINING_LOOPS,
    EnvironmentChoice,
    GateSettings,
    Parameter,
    Selection,
)
from keras_bench.soundness import THREADS

#: Every name of a backend; some commands refuse those that only predict.
KNOWN = BACKENDS_OF["predict"]

#: The loops, as texts tell them.
LOOP_NAMES = ", ".join((*TRAINING_LOOPS, "and fit:N"))


def parse_environments(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return specs by backend; raise BadParameter for what isn't BACKEND=SPEC."""
    chosen = {}
    for value in values:
        backend, separator, spec = value.partition("=")
        if not separator or not spec:
            raise click.BadParameter(f"{value!r} isn't BACKEND=SPEC")
        if backend not in KNOWN:
            raise click.BadParameter(f"no backend is named {backend!r}; {_nearest(backend)}")
        chosen[backend] = spec
    return tuple(chosen.items())


def parse_additions(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str | Path, ...]:
    """Return each requirement and folder once; raise BadParameter for what is neither."""
    from keras_bench.environments.specs import NoRequirement, parse_addition

    found = []
    for value in values:
        try:
            found.append(parse_addition(value, Path.cwd()))
        except NoRequirement as error:
            raise click.BadParameter(f"{value!r} {error}") from None
    return tuple(dict.fromkeys(found))


def parse_variables(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return each name once; raise BadParameter for a variable that can't be passed on."""
    for value in values:
        if reason := why_not_passed(value, os.environ):
            raise click.BadParameter(reason)
    return tuple(dict.fromkeys(values))


def parse_backends(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return each backend once; raise BadParameter for a name that is none."""
    for value in values:
        if value not in KNOWN:
            raise click.BadParameter(f"no backend is named {value!r}; {_nearest(value)}")
    return tuple(dict.fromkeys(values))


def parse_backend(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return the backend; raise BadParameter for what is none, or one that can't train."""
    (backend,) = parse_training_backends(context, parameter, (value,))
    return backend


def parse_training_backends(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return each backend once; raise BadParameter for what is none, or one that can't train."""
    backends = parse_backends(context, parameter, values)
    for backend in backends:
        if backend not in BACKENDS:
            reason = f"Keras can't train on {backend}, only predict"
            raise click.BadParameter(f"{reason}; take another one")
    return backends


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), KNOWN, cutoff=0.3)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(KNOWN)}"


class Finite(click.FloatRange):
    """A number that is neither infinite nor NaN, within a range."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> float:
        number = float(super().convert(value, parameter, context))
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", parameter, context)
        return number


def parse_loops(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return each loop once; raise BadParameter for a name that is none."""
    return tuple(dict.fromkeys(parse_loop(context, parameter, value) for value in values))


def parse_checked_loops(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return each loop once; raise BadParameter for a name that is none, and for fit itself."""
    loops = parse_loops(context, parameter, values)
    if DEFAULT_LOOPS["train"] in loops:
        raise click.BadParameter("fit is what loops are compared with; name another one")
    return loops


def parse_loop(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return the loop, as `fit` where it is `fit:1`; raise BadParameter for what is none."""
    if value in TRAINING_LOOPS:
        return value
    if steps := re.fullmatch(r"fit:(0{0,8}[1-9][0-9]{0,8})", value):
        number = int(steps[1])
        return f"fit:{number}" if number > 1 else "fit"
    raise click.BadParameter(f"no loop is named {shown(value)}; there are {LOOP_NAMES}")


def parse_threads(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return the thread policy; raise BadParameter for what is none."""
    if THREADS.fullmatch(value):
        return value
    what = "neither default, nor single, nor a number from 1 to 9999"
    raise click.BadParameter(f"{shown(value)} is {what}")


def parse_parameters(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, tuple[Parameter, ...]], ...]:
    """Return each name with its values; raise BadParameter for what isn't NAME=VALUE,VALUE."""
    chosen: dict[str, tuple[Parameter, ...]] = {}
    for value in values:
        name, separator, texts = value.partition("=")
        if not separator or not texts or not name.isidentifier():
            raise click.BadParameter(f"{value!r} isn't NAME=VALUE or NAME=VALUE,VALUE")
        if name in chosen:
            raise click.BadParameter(f"{name} is set twice; give all its values at once")
        if "" in texts.split(","):
            raise click.BadParameter(f"{value!r} has an empty value; leave out the comma")
        found = [_literal(text) for text in texts.split(",")]
        for each in found:
            if fault := fault_of(name, each):
                raise click.BadParameter(f"it has {fault}")
        # By their types too: 1, 1.0 and True are equal, and not the same to set.
        chosen[name] = tuple({(type(each), each): each for each in found}.values())
    return tuple(chosen.items())


def _literal(text: str) -> Parameter:
    """Return the number, True, False or None that a text says, or else the text itself."""
    from ast import literal_eval

    try:
        found = literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
    return found if isinstance(found, int | float | None) else text


set_option = click.option(
    "--set",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE,...",
    callback=parse_parameters,
    help="Set an argument of Model.fit, build(), data() or FIT(). Each value makes a workload of"
    " its own; may be repeated.",
)


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the argument and the options that choose workloads; pass on their `Selection`."""

    @click.argument("workloads", nargs=-1, metavar="[WORKLOAD|FILE.py]...")
    @click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="NAME",
        help="Take the suite's workloads with this tag: notes, layers or all; may be repeated.",
    )
    @set_option
    @wraps(command)
    def with_selection(
        *args: Any,
        workloads: tuple[str, ...],
        tags: tuple[str, ...],
        parameters: tuple[tuple[str, tuple[Parameter, ...]], ...],
        **options: Any,
    ) -> None:
        command(*args, selection=Selection(workloads, tags, parameters), **options)

    return with_selection


env_option = click.option(
    "--env",
    "named",
    multiple=True,
    metavar="BACKEND=SPEC",
    callback=parse_environments,
    help="The environment of a backend: an interpreter's path, requirements, a folder,"
    " git:REVISION, or . for the one that runs keras-bench; may be repeated.",
)
cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder where environments are kept."
    " [default: $KERAS_BENCH_CACHE, or keras-bench in your cache]",
)
python_option = click.option(
    "--python",
    metavar="VERSION|PATH",
    help="The Python that environments are made with, such as 3.13."
    " [default: the one that runs keras-bench]",
)
no_make_option = click.option(
    "--no-make", is_flag=True, help="Fail where an environment isn't there, and make none."
)


with_option = click.option(
    "--with",
    "additions",
    multiple=True,
    metavar="REQUIREMENT",
    callback=parse_additions,
    help="Install this into the environments that are made, besides: a requirement, or the folder"
    " of a Python project; may be repeated.",
)
pass_env_option = click.option(
    "--pass-env",
    "variables",
    multiple=True,
    metavar="NAME",
    callback=parse_variables,
    help="Let workers have this variable of your shell; its value is stored nowhere; may be"
    " repeated.",
)


def making_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how environments are made and what workers find, but for --env.

    Pass on an `EnvironmentChoice`.
    """

    @with_option
    @pass_env_option
    @python_option
    @cache_option
    @no_make_option
    @wraps(command)
    def with_choice(
        *args: Any,
        python: str | None,
        cache: Path | None,
        no_make: bool,
        additions: tuple[str | Path, ...],
        variables: tuple[str, ...],
        named: tuple[tuple[str, str], ...] = (),
        **options: Any,
    ) -> None:
        choice = EnvironmentChoice(named, not no_make, cache, python, additions, variables)
        command(*args, environments=choice, **options)

    return with_choice


def environment_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --env and the options of `making_options`; pass on an `EnvironmentChoice`."""
    return env_option(making_options(command))


def looking_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where environments are; pass on a choice that makes none."""

    @env_option
    @cache_option
    @wraps(command)
    def with_choice(
        *args: Any, named: tuple[tuple[str, str], ...], cache: Path | None, **options: Any
    ) -> None:
        command(*args, environments=EnvironmentChoice(named, False, cache), **options)

    return with_choice


backend_option = click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="NAME",
    callback=parse_backends,
    help="Take this backend; may be repeated. [default: those of --env, or all three]",
)
loops_option = click.option(
    "--loop",
    "loops",
    multiple=True,
    metavar="fit|fit:N|batch|fused|bare",
    callback=parse_loops,
    help="Drive the epochs by this loop; may be repeated. [default: fit]",
)
checked_loops_option = click.option(
    "--loop",
    "loops",
    multiple=True,
    metavar="fit:N|batch|fused|bare",
    callback=parse_checked_loops,
    help="Compare this loop with fit instead, on each backend by itself; may be repeated.",
)
loop_option = click.option(
    "--loop",
    default=GateSettings().loop,
    show_default=True,
    metavar="fit|fit:N|batch|fused|bare",
    callback=parse_loop,
    help="Drive the epochs of both sides by this loop.",
)
threads_option = click.option(
    "--threads",
    default="default",
    metavar="default|single|N",
    callback=parse_threads,
    help="Threads per pool: the framework's own choice, one, or N. [default: default]",
)
shared_threads_option = click.option(
    "--threads",
    default="default",
    metavar="default|single|N",
    callback=parse_threads,
    help="Threads per pool: an equal share of the cores for each backend, one, or N."
    " [default: default]",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="The seed of the data, the initial weights and the order of measurements.",
)
timeout_option = click.option(
    "--timeout",
    type=Finite(min=1.0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="End a worker that gives no answer for this long.",
)
threshold_option = click.option(
    "--threshold",
    type=Finite(0.001, 1.0),
    default=GateSettings().threshold,
    show_default=True,
    metavar="X",
    help="The slowdown that must not be missed: 0.05 is 5 %.",
)
metric_option = click.option(
    "--metric",
    type=click.Choice(["auto", "wall", "cpu"]),
    default="auto",
    show_default=True,
    help="The clock that decides: wall time, the CPU time of the process, or the steadier of the"
    " two (auto), which is CPU time on tensorflow and wall time on the others.",
)
threads_in_turn_option = click.option(
    "--threads",
    default="single",
    metavar="default|single|N",
    callback=parse_threads,
    help="Threads per pool: one, the framework's own choice, or N. [default: single]",
)
no_parity_option = click.option(
    "--no-parity", is_flag=True, help="Skip the check that all sides learn the same."
)


class _OutputFile(click.Path):
    """A file that is written, - for standard output."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        if not os.fspath(value):
            self.fail("a file has no empty name; - is standard output", param, ctx)
        return super().convert(value, param, ctx)


OutputFile = _OutputFile(path_type=Path, dir_okay=False, allow_dash=True)
results_option = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=True),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="The folder where the results are written.",
)
debug_option = click.option("--debug", is_flag=True, help="Show the tracebacks of workers.")
