"""The command line: one parser, and each command calls one function.

Nothing heavy is imported here, so that `--help` answers at once.
"""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click

from keras_bench import __version__
from keras_bench.errors import BenchError, Interrupted, ResultsUnwritable
from keras_bench.interrupts import handle_as_interrupts
from keras_bench.options import (
    Finite,
    OutputFile,
    backend_option,
    cache_option,
    checked_loops_option,
    debug_option,
    environment_options,
    looking_options,
    loop_option,
    loops_option,
    making_options,
    metric_option,
    no_parity_option,
    parse_backend,
    parse_backends,
    parse_training_backends,
    python_option,
    results_option,
    seed_option,
    selection_options,
    set_option,
    shared_threads_option,
    threads_in_turn_option,
    threads_option,
    threshold_option,
    timeout_option,
    with_option,
)
from keras_bench.records import (
    DEFAULT_LOOPS,
    EnvironmentChoice,
    GateSettings,
    Metric,
    Parameter,
    Selection,
    Settings,
    Task,
)
from keras_bench.report.streams import forget_losses, loss, open_missing
from keras_bench.report.visible import visible
from keras_bench.system_faults import fault_of_system

#: What a run is like where no option says otherwise, and with --quick. To predict there is an arm
#: for each batch size.
USUAL: dict[Task, Settings] = {"train": Settings(), "predict": Settings(budget_seconds=900.0)}
QUICK: dict[Task, Settings] = {
    task: replace(usual, rounds=3, training_seconds=0.5) for task, usual in USUAL.items()
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="keras-bench")
@click.option("--debug", is_flag=True, help="Show tracebacks, those of workers too.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Which Keras backend trains my model fastest on this CPU?

    Trains the same models under the TensorFlow, JAX and PyTorch backends, each in a fresh
    process, and compares the time of an epoch.
    """
    context.obj = debug


@cli.command("list")
@looking_options
def list_(environments: EnvironmentChoice) -> None:
    """Show the workloads, and the backends with the versions found."""
    from keras_bench.commands.look import list_all

    list_all(environments)


@cli.command()
@click.option(
    "--make",
    "backends",
    multiple=True,
    metavar="NAME",
    callback=parse_backends,
    help="Make the environment of this backend, unless it is there; may be repeated.",
)
@click.option(
    "--prune",
    is_flag=True,
    help="Remove environments that no command has used for 30 days, and of the others those used"
    " longest ago, until all together take less than 20 GB.",
)
@with_option
@python_option
@cache_option
def environments(
    backends: tuple[str, ...],
    prune: bool,
    additions: tuple[str | Path, ...],
    python: str | None,
    cache: Path | None,
) -> None:
    """List the environments that keras-bench has made, with their sizes and last uses."""
    from keras_bench.commands.environments import (
        list_environments,
        make_environments,
        prune_environments,
    )

    if backends and prune:
        raise click.UsageError("--make and --prune are two commands; give one of them")
    if python is not None and not backends:
        raise click.UsageError("--python is for --make; name a backend with that")
    if additions and not backends:
        raise click.UsageError("--with says what --make installs; name a backend with --make")
    if backends:
        choice = EnvironmentChoice(cache=cache, python=python, additions=additions)
        make_environments(backends, choice)
    elif prune:
        prune_environments(cache)
    else:
        list_environments(cache)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.py")
def new(file: Path) -> None:
    """Write a workload to start from."""
    from keras_bench.commands.new import write_workload

    write_workload(file)


@cli.command()
@looking_options
def doctor(environments: EnvironmentChoice) -> None:
    """List the things on this machine that spoil timings, and their remedies."""
    from keras_bench.commands.look import see_doctor

    see_doctor(environments)


@cli.command()
@selection_options
@click.option(
    "--task",
    type=click.Choice(["train", "predict"]),
    default="train",
    show_default=True,
    help="Time epochs of training, or calls of predict with one batch.",
)
@loops_option
@backend_option
@environment_options
@threads_option
@click.option(
    "--precision",
    type=Finite(0.001, 1.0),
    default=None,
    metavar="X",
    help="Stop when the 95 % interval of every ratio has a half-width below this. [default: 0.05]",
)
@click.option(
    "--budget",
    type=Finite(min=1.0),
    default=None,
    metavar="SECONDS",
    help="After the first round, start no round that would end later."
    " [default: 236, or 900 with --task predict]",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Run exactly this many rounds, whatever the precision.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="A first impression: three rounds of shorter processes, unless --rounds or --precision say"
    " otherwise.",
)
@seed_option
@timeout_option
@click.option(
    "--no-parity",
    is_flag=True,
    help="Skip the check that the backends learn the same; rows say unchecked.",
)
@results_option
@debug_option
@click.pass_context
def run(
    context: click.Context,
    selection: Selection,
    task: Task,
    loops: tuple[str, ...],
    backends: tuple[str, ...],
    environments: EnvironmentChoice,
    threads: str,
    precision: float | None,
    budget: float | None,
    rounds: int | None,
    quick: bool,
    seed: int,
    timeout: float,
    no_parity: bool,
    results: Path,
    debug: bool,
) -> None:
    """Train workloads on every backend and compare the time of an epoch.

    Without arguments it measures dense_3_5_2 and dense_1_16_32_2 on all installed backends. With
    --task predict it compares the time of a prediction, for batches of 1, 32 and 256 examples
    unless --set batch_size=N,... names others.
    """
    from keras_bench.commands.run import measure

    if loops and task != "train":
        raise click.UsageError(f"--loop drives a training, and --task is {task}; leave it out")
    loops = loops or (DEFAULT_LOOPS[task],)
    base = (QUICK if quick else USUAL)[task]
    settings = Settings(
        precision=precision or base.precision,
        # With a number of rounds, only a budget that was asked for ends them early.
        budget_seconds=budget or (None if rounds else base.budget_seconds),
        rounds=rounds or (None if precision else base.rounds),
        threads=threads,
        seed=seed,
        timeout_seconds=timeout,
        training_seconds=base.training_seconds,
        parity=not no_parity,
    )
    debug = debug or context.obj
    sys.exit(measure(selection, task, loops, backends, environments, settings, results, debug))


@cli.command()
@selection_options
@checked_loops_option
@backend_option
@environment_options
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Train in this precision. float64 tells a difference of meaning from one of rounding;"
    " not with --loop.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Train this many epochs. [default: as many as the workload says; 3 with --loop]",
)
@click.option(
    "--tolerance",
    type=Finite(min=0.0),
    default=0.0,
    metavar="X",
    help="Let relative deviations up to X pass, besides those that rounding explains. [default: 0]",
)
@shared_threads_option
@seed_option
@timeout_option
@click.option(
    "--json",
    "file",
    type=OutputFile,
    default=None,
    metavar="FILE",
    help="Write the verdicts, and every series behind them, as JSON.",
)
@debug_option
@click.pass_context
def parity(
    context: click.Context,
    selection: Selection,
    loops: tuple[str, ...],
    backends: tuple[str, ...],
    environments: EnvironmentChoice,
    dtype: str,
    epochs: int | None,
    tolerance: float,
    threads: str,
    seed: int,
    timeout: float,
    file: Path | None,
    debug: bool,
) -> None:
    """Check whether the backends learn the same, and show where they differ.

    Every backend trains from the same weights on the same batches. Each stage of a step is compared
    with a reference, and each deviation with the one that rounding alone explains. With --loop,
    the training of a loop is compared with the training of fit on the same backend instead.
    """
    from keras_bench.commands.parity import check, check_by_loops
    from keras_bench.measure.parity_workers import ParitySettings

    settings = ParitySettings(dtype, epochs, None, tolerance, seed, threads)
    debug = debug or context.obj
    if loops:
        if dtype != ParitySettings().dtype:
            reason = "--loop checks a training in the precision that it is timed in"
            raise click.UsageError(f"{reason}; leave out --dtype {dtype}")
        sys.exit(
            check_by_loops(selection, loops, backends, environments, settings, timeout, file, debug)
        )
    sys.exit(check(selection, backends, environments, settings, timeout, file, debug))


@cli.command()
@selection_options
@click.option(
    "--backend",
    required=True,
    metavar="NAME",
    callback=parse_backend,
    help="The backend that both environments hold.",
)
@click.option(
    "--baseline",
    required=True,
    metavar="SPEC",
    help="The environment before the change: requirements, a folder, git:REVISION, or an"
    " interpreter's path.",
)
@click.option(
    "--candidate", required=True, metavar="SPEC", help="The environment after the change."
)
@making_options
@click.option(
    "--baseline-workloads",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Take the baseline's workloads from this folder: NAME.py, or FILE.py below it."
    " [default: the same for both]",
)
@click.option(
    "--candidate-workloads",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Take the candidate's workloads from this folder. [default: the same for both]",
)
@threshold_option
@click.option(
    "--budget",
    type=Finite(min=1.0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="After the first round, go on only while the rounds up to the next look at them fit.",
)
@metric_option
@loop_option
@threads_in_turn_option
@click.option("--fail-undecided", is_flag=True, help="Exit with 13 if a verdict is undecided.")
@no_parity_option
@click.option("--markdown", type=OutputFile, metavar="FILE", help="Write the tables as Markdown.")
@click.option("--json", type=OutputFile, metavar="FILE", help="Write all findings as JSON.")
@click.option("--junit", type=OutputFile, metavar="FILE", help="Write the verdicts as JUnit XML.")
@seed_option
@timeout_option
@results_option
@debug_option
@click.pass_context
def gate(
    context: click.Context,
    selection: Selection,
    backend: str,
    baseline: str,
    candidate: str,
    environments: EnvironmentChoice,
    baseline_workloads: Path | None,
    candidate_workloads: Path | None,
    threshold: float,
    budget: float,
    metric: Metric,
    loop: str,
    threads: str,
    fail_undecided: bool,
    no_parity: bool,
    markdown: Path | None,
    json: Path | None,
    junit: Path | None,
    seed: int,
    timeout: float,
    results: Path,
    debug: bool,
) -> None:
    """Tell whether a candidate environment trains slower than a baseline.

    Both are measured in the same rounds, each time in fresh processes, until the evidence
    suffices or the budget is spent. A regression is reported once further processes confirm it.
    """
    from keras_bench.commands.gate import measure
    from keras_bench.commands.outputs import Outputs
    from keras_bench.commands.sides import Side

    settings = GateSettings(
        threshold=threshold,
        metric=metric,
        budget_seconds=budget,
        threads=threads,
        loop=loop,
        seed=seed,
        timeout_seconds=timeout,
        parity=not no_parity,
    )
    before = Side("baseline", backend, baseline, baseline_workloads)
    after = Side("candidate", backend, candidate, candidate_workloads)
    outputs = Outputs(results, markdown, json, junit)
    debug = debug or context.obj
    sys.exit(
        measure(selection, before, after, environments, settings, outputs, fail_undecided, debug)
    )


@cli.command()
@click.argument("workload", metavar="WORKLOAD|FILE.py")
@set_option
@click.option(
    "--backend",
    required=True,
    metavar="NAME",
    callback=parse_backend,
    help="The backend that is explained.",
)
@environment_options
@threads_option
@click.option(
    "--budget",
    type=Finite(min=1.0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="After the first round, start no process that would end later.",
)
@click.option("--markdown", type=OutputFile, metavar="FILE", help="Write the answer as Markdown.")
@click.option(
    "--json",
    type=OutputFile,
    metavar="FILE",
    help="Write the answer, every measurement and every sampled stack as JSON.",
)
@seed_option
@timeout_option
@debug_option
@click.pass_context
def explain(
    context: click.Context,
    workload: str,
    parameters: tuple[tuple[str, tuple[Parameter, ...]], ...],
    backend: str,
    environments: EnvironmentChoice,
    threads: str,
    budget: float,
    markdown: Path | None,
    json: Path | None,
    seed: int,
    timeout: float,
    debug: bool,
) -> None:
    """Explain where the time of an epoch of fit goes, and which changes make it faster.

    Other loops and settings are measured beside fit, and a sampling profiler watches fit train. If
    --set names several values, the first is explained and the others are tried.
    """
    from keras_bench.commands.explain import PRECISION, TRAINING_SECONDS, Files
    from keras_bench.commands.explain import explain as find_out

    settings = Settings(
        precision=PRECISION,
        budget_seconds=budget,
        threads=threads,
        seed=seed,
        timeout_seconds=timeout,
        training_seconds=TRAINING_SECONDS,
        parity=False,
    )
    files = Files(markdown, json)
    debug = debug or context.obj
    sys.exit(find_out(workload, parameters, backend, environments, settings, files, debug))


@cli.command()
@click.argument("baseline", metavar="BASELINE")
@click.argument("candidate", metavar="CANDIDATE")
@threshold_option
@click.option(
    "--across-machines",
    is_flag=True,
    help="Show runs of different machines or thread policies side by side, without a verdict.",
)
@click.option("--fail-undecided", is_flag=True, help="Exit with 13 if a verdict is undecided.")
@click.option("--markdown", type=OutputFile, metavar="FILE", help="Write the tables as Markdown.")
@click.option("--json", type=OutputFile, metavar="FILE", help="Write all findings as JSON.")
@click.option("--junit", type=OutputFile, metavar="FILE", help="Write the verdicts as JUnit XML.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="The folder that holds latest.json and history.csv.",
)
def compare(
    baseline: str,
    candidate: str,
    threshold: float,
    across_machines: bool,
    fail_undecided: bool,
    markdown: Path | None,
    json: Path | None,
    junit: Path | None,
    results: Path,
) -> None:
    """Tell whether a stored run is slower than another.

    Each run is a file of results/runs/, a latest.json, the word latest, or a git revision, which
    stands for its results/latest.json. The history tells how far two runs on this machine differ
    though nothing changed; without a history there is no verdict.
    """
    from keras_bench.commands.compare import compare_runs
    from keras_bench.commands.outputs import Outputs

    outputs = Outputs(results, markdown, json, junit)
    sys.exit(compare_runs(baseline, candidate, threshold, across_machines, fail_undecided, outputs))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), required=False, metavar="[RUN.json]")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="The folder that holds the newest run.",
)
def show(file: Path | None, results: Path) -> None:
    """Print the tables of a stored run again; without RUN.json, of the newest."""
    from keras_bench.commands.show import show_run

    show_run(file, results)


@cli.command()
@selection_options
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    metavar="NAME",
    callback=parse_training_backends,
    help="Measure on this backend; may be repeated.",
)
@click.option(
    "--spec",
    "specs",
    multiple=True,
    required=True,
    metavar="SPEC",
    help="An environment to measure: requirements, a folder, git:REVISION, or an interpreter's"
    " path; repeated for each, the oldest first.",
)
@making_options
@threshold_option
@click.option(
    "--budget",
    type=Finite(min=1.0),
    default=1800.0,
    show_default=True,
    metavar="SECONDS",
    help="After the first round, go on only while the rounds up to the next look at them fit.",
)
@metric_option
@threads_in_turn_option
@no_parity_option
@click.option("--markdown", type=OutputFile, metavar="FILE", help="Write the tables as Markdown.")
@click.option("--json", type=OutputFile, metavar="FILE", help="Write all findings as JSON.")
@click.option("--junit", type=OutputFile, metavar="FILE", help="Write the verdicts as JUnit XML.")
@seed_option
@timeout_option
@results_option
@debug_option
@click.pass_context
def versions(
    context: click.Context,
    selection: Selection,
    backends: tuple[str, ...],
    specs: tuple[str, ...],
    environments: EnvironmentChoice,
    threshold: float,
    budget: float,
    metric: Metric,
    threads: str,
    no_parity: bool,
    markdown: Path | None,
    json: Path | None,
    junit: Path | None,
    seed: int,
    timeout: float,
    results: Path,
    debug: bool,
) -> None:
    """Measure many environments against each other, all in the same rounds.

    Each environment is compared with the first of its backend, and with the one before it.
    """
    from keras_bench.commands.outputs import Outputs
    from keras_bench.commands.sides import Side
    from keras_bench.commands.versions import sweep_versions
    from keras_bench.environments.specs import label_of

    settings = GateSettings(
        threshold=threshold,
        metric=metric,
        budget_seconds=budget,
        threads=threads,
        seed=seed,
        timeout_seconds=timeout,
        parity=not no_parity,
    )
    sides = [Side(label_of(spec), backend, spec) for backend in backends for spec in specs]
    debug = debug or context.obj
    outputs = Outputs(results, markdown, json, junit)
    sys.exit(sweep_versions(selection, sides, environments, settings, outputs, debug))


@cli.command()
@click.argument("workload", default="dense_1_16_32_2", metavar="[WORKLOAD|FILE.py]")
@click.option(
    "--backend",
    required=True,
    metavar="NAME",
    callback=parse_backend,
    help="The backend that is measured.",
)
@environment_options
@threshold_option
@click.option(
    "--passes",
    type=click.IntRange(min=3),
    default=20,
    show_default=True,
    metavar="N",
    help="Measure this many rounds of each slowdown, and twice as many without one.",
)
@metric_option
@threads_in_turn_option
@click.option("--markdown", type=OutputFile, metavar="FILE", help="Add the table to this file.")
@seed_option
@timeout_option
@results_option
@debug_option
@click.pass_context
def calibrate(
    context: click.Context,
    workload: str,
    backend: str,
    environments: EnvironmentChoice,
    threshold: float,
    passes: int,
    metric: Metric,
    threads: str,
    markdown: Path | None,
    seed: int,
    timeout: float,
    results: Path,
    debug: bool,
) -> None:
    """Find out how small a slowdown a gate can detect on this machine.

    It measures rounds of one environment against itself, as a gate does, some of them with a
    slowdown of known size, and replays gates from these rounds. Without an argument it takes
    dense_1_16_32_2.
    """
    from keras_bench.commands.calibrate import calibrate as find_out

    settings = GateSettings(
        threshold=threshold, metric=metric, threads=threads, seed=seed, timeout_seconds=timeout
    )
    debug = debug or context.obj
    sys.exit(find_out(workload, backend, environments, settings, passes, results, markdown, debug))


@cli.command()
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="NAME",
    help="Show this workload; may be repeated. [default: all]",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="NAME",
    callback=parse_backends,
    help="Show this backend; may be repeated. [default: all]",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="The folder that holds history.csv.",
)
def history(workloads: tuple[str, ...], backends: tuple[str, ...], results: Path) -> None:
    """Show the level of every arm over time, and its lasting shifts."""
    from keras_bench.commands.history import show_history

    show_history(workloads, backends, results)


@cli.command()
@click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN.json|GATE.json]..."
)
@click.option(
    "-o",
    "--output",
    type=OutputFile,
    metavar="FILE",
    help="The file to write. [default: report.html in the results]",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="The folder that holds the newest run and history.csv.",
)
def report(files: tuple[Path, ...], output: Path | None, results: Path) -> None:
    """Write one page with plots of stored runs, gates and sweeps.

    Without a file it shows the newest run. Several runs are each compared with the first.
    """
    from keras_bench.commands.report import report as write_page

    write_page(files, output, results)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every foreseen error is one line and an exit code of its own.

    The arguments are those of this process unless others are given. Ends by SystemExit where the
    exit code isn't 0.
    """
    handle_as_interrupts()
    forget_losses()
    open_missing()
    try:
        _run(sys.argv[1:] if arguments is None else list(arguments))
    except SystemExit as end:
        exit_code = end.code
    else:
        exit_code = 0
    if reason := loss():
        remedy = "let it be read, or written to"
        error = ResultsUnwritable("standard output", f"couldn't be written ({reason})", remedy)
        click.echo(f"error: {error}", err=True)
        exit_code = exit_code or error.exit_code
    if exit_code:
        sys.exit(exit_code)


def _run(arguments: Sequence[str]) -> None:
    debug = "--debug" in arguments
    try:
        cli(arguments, prog_name="keras-bench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail(
            Interrupted("keras-bench", "interrupted", "nothing was being measured"),
            debug,
        )
    except BenchError as error:
        _fail(error, debug)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        if (foreseen := fault_of_system(error)) is None:
            _unforeseen(error, debug)
        _fail(foreseen, debug)
    except Exception as error:
        _unforeseen(error, debug)


def _unforeseen(error: Exception, debug: bool) -> NoReturn:
    if debug:
        raise error
    what = visible(f"error: keras-bench: {type(error).__name__}: {error}")
    remedy = "please report what --debug shows"
    click.echo(f"{what}; this is a fault of the suite: {remedy}", err=True)
    sys.exit(1)


def _fail(error: BenchError, debug: bool) -> NoReturn:
    if debug:
        click.echo(visible("".join(traceback.format_exception(error))), err=True)
    click.echo(visible(f"error: {error}"), err=True)
    sys.exit(error.exit_code)
