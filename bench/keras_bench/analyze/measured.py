"""Just what comparing two stored runs needs of each, whichever file it was read from."""

from dataclasses import dataclass

from keras_bench.analyze.steady import process_epoch_seconds
from keras_bench.records import (
    ArmResult,
    Environment,
    Failure,
    Machine,
    Method,
    Parity,
    Run,
    Task,
    contender,
)


@dataclass(frozen=True)
class MeasuredArm:
    """One arm of a stored run.

    `environment` names the backend's framework by the backend, for distributions of one framework
    go by several names. `process_epoch_seconds` is empty and `examples` None where nothing was
    measured.
    """

    workload: str
    backend: str
    threads: str
    loop: str
    environment: Environment
    process_epoch_seconds: tuple[float, ...]
    examples: int | None
    failure: Failure | None
    parity: Parity
    task: Task = "train"
    method: Method = "turns"

    @property
    def contender(self) -> str:
        """What tells it from the other arms of its workload."""
        return contender(self.backend, self.loop)


@dataclass(frozen=True)
class MeasuredRun:
    """A stored run, `source` the name that it was asked for by."""

    source: str
    started_utc: str
    machine: Machine
    threads: str
    complete: bool
    arms: tuple[MeasuredArm, ...]


def measured_run(run: Run, source: str) -> MeasuredRun:
    """Return what comparing needs of a run."""
    return MeasuredRun(
        source,
        run.started_utc,
        run.machine,
        run.settings.threads,
        run.complete,
        tuple(map(_arm, run.results)),
    )


def recorded_environment(
    backend: str,
    *,
    python: str,
    framework: str | None,
    keras: str | None,
    numpy: str | None,
) -> Environment:
    """Return the versions that every stored form of a run tells."""
    told = ((backend, framework), ("keras", keras), ("numpy", numpy))
    return Environment(
        python, tuple((name, version) for name, version in told if version is not None)
    )


def _arm(result: ArmResult) -> MeasuredArm:
    arm, environment = result.arm, result.arm.environment
    return MeasuredArm(
        workload=arm.workload,
        backend=arm.backend,
        threads=arm.threads,
        loop=arm.loop,
        environment=recorded_environment(
            arm.backend,
            python=environment.python_version,
            framework=environment.version_of(arm.backend),
            keras=environment.version_of("keras"),
            numpy=environment.version_of("numpy"),
        ),
        process_epoch_seconds=tuple(process_epoch_seconds(result.samples)),
        examples=result.samples[0].examples if result.samples else None,
        failure=None if result.failure and result.failure.unsupported else result.failure,
        parity=result.parity,
        task=arm.task,
        method=result.samples[0].method if result.samples else "turns",
    )
