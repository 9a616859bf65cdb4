"""What is measured and stored: frozen values, with the words and units of the project.

Only the standard library is imported here, because a worker's environment holds nothing
of the suite's own dependencies.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, TypeVar

#: What a worker is timed at: training a workload's model, or predicting with it.
Task = Literal["train", "predict"]

#: Those that train.
BACKENDS = ("tensorflow", "jax", "torch")

#: Those that can do a task: Keras only predicts with the last two.
BACKENDS_OF: dict[Task, tuple[str, ...]] = {
    "train": BACKENDS,
    "predict": (*BACKENDS, "numpy", "openvino"),
}

#: The method of `keras.Model` that does a task where no other loop is asked for.
DEFAULT_LOOPS: dict[Task, str] = {"train": "fit", "predict": "predict"}

#: What can drive a training, beside `fit:N`, which is `fit` with so many steps per execution.
TRAINING_LOOPS = ("fit", "batch", "fused", "bare")

#: The one of them that is no loop for a user's own model, but the floor for it.
FLOOR_LOOP = "bare"

#: What an explanation tries beside them: `fit` with the other `jit_compile`, by what that is.
JIT_LOOPS = {"fit jit_compile=True": True, "fit jit_compile=False": False}

#: What it measures beside them: epochs that go through the data and train nothing.
DATA_LOOP = "data"

#: The distributions of a module that has several, the suite's own first. Others may bring it too.
DISTRIBUTIONS = {
    "keras": ("keras", "keras-nightly"),
    "tensorflow": (
        "tensorflow-cpu", "tensorflow", "tensorflow-intel", "tensorflow-macos", "tensorflow-rocm",
        "tf-nightly", "tf-nightly-cpu",
    ),
}  # fmt: skip

#: What a backend needs beside that: Keras takes convolutions and transforms of its NumPy backend
#: from JAX.
ALSO_NEEDED = {"numpy": "jax"}

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Environment:
    """The interpreter that workers run in: its version and those of the modules that matter.

    `packages` has the version of each module. In results from before `distributions` was kept,
    the distribution stands for its module.
    """

    python_version: str
    packages: tuple[tuple[str, str], ...]
    label: str = ""
    """What tells environments of one run apart, such as "baseline" and "candidate"."""
    distributions: tuple[tuple[str, str], ...] = ()
    """What brings a module, unless it is one distribution of the same name: ("keras",
    "keras-nightly"). Of several the first counts, and "source" is none of them."""

    def version_of(self, module: str) -> str | None:
        """Return the version of a module, such as a backend's; None where there is none."""
        told = dict(self.packages)
        names = DISTRIBUTIONS.get(module, (module,))
        return next((told[name] for name in names if name in told), None)

    def unusual(self, module: str) -> tuple[str, ...]:
        """Return the distributions that bring a module; none where it is the usual one."""
        names = tuple(name for brought, name in self.distributions if brought == module)
        usual = (module, DISTRIBUTIONS.get(module, (module,))[0])
        return () if len(names) == 1 and names[0] in usual else names

    def version_text(self, module: str) -> str | None:
        """Write a module's version, with an unusual distribution: "3.16.0 (keras-nightly)"."""
        version, names = self.version_of(module), self.unusual(module)
        return f"{version} ({' over '.join(names)})" if version and names else version

    def holds(self, backend: str) -> bool:
        """Tell whether Keras can run on a backend here."""
        needed = ("keras", backend, ALSO_NEEDED.get(backend, backend))
        return None not in map(self.version_of, needed)


@dataclass(frozen=True)
class Arm:
    """The thing that is timed: workload × backend × environment × threads × task × loop."""

    workload: str
    backend: str
    environment: Environment
    threads: str = "default"
    loop: str = "fit"
    task: Task = "train"

    @property
    def contender(self) -> str:
        """What tells it from the other arms of its workload and environment."""
        return contender(self.backend, self.loop)

    @property
    def name(self) -> str:
        """A short name, unique within a run, that no training shares with a prediction."""
        told = (self.contender, self.environment.label, "" if self.task == "train" else self.task)
        return f"{self.workload}[{', '.join(filter(None, told))}]"

    @property
    def group(self) -> tuple[str, str]:
        """What the arms have in common that environments are compared by."""
        return self.workload, self.contender


def contender(backend: str, loop: str) -> str:
    """Name a backend with a loop, which goes without saying where it is the default."""
    return backend if loop in DEFAULT_LOOPS.values() else f"{backend} {loop}"


def steps_per_execution(loop: str) -> int | None:
    """Return the N of `fit:N`, 1 of `fit`, and None for every other loop."""
    method, _, steps = loop.partition(":")
    if method != "fit":
        return None
    return int(steps) if steps else 1


#: How processes are measured together: in slices or, as all were before, by whole epochs, in turn
#: or one after the other.
Method = Literal["turns", "slices"]


@dataclass(frozen=True)
class Sample:
    """What one worker process measured, every epoch of it in the order it came.

    `epoch_seconds` (active time) and `epoch_cpu_seconds` (of the whole process) have an entry per
    epoch, the first epoch included, and so have `losses` and each of `metrics`: what else `fit`
    reports, by its name there, None of epochs without it. An epoch lasts from the end of the one
    before.
    `intra_op_threads`, `inter_op_threads` are None where the framework doesn't tell, `os_threads`
    where the system doesn't, and `cpus`, the affinity, is empty where the system has none.

    Of a prediction, a call of `Model.predict` stands where an epoch stands: first the first call,
    then the mean of the warm-up's, then the means of blocks of `calls_per_block` calls each. There
    are no losses then, and `examples` are those of the batch.
    """

    import_seconds: float
    build_seconds: float
    epoch_seconds: tuple[float, ...]
    epoch_cpu_seconds: tuple[float, ...]
    losses: tuple[float, ...]
    examples: int
    peak_rss_bytes: int
    jit_compile: bool
    intra_op_threads: int | None
    inter_op_threads: int | None
    os_threads: int | None
    cpus: tuple[int, ...]
    metrics: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    calls_per_block: int = 1
    round: int = 0
    process_seconds: float = 0.0
    """From the start of the process to its answer, as the coordinator saw it."""
    started_alone: bool = True
    """Whether no other process of its group was starting or training while this one imported,
    built and trained its first epochs."""
    other_busy_cores: float | None = None
    """How many cores other programs used meanwhile, as the system tells; None where unknown."""
    random_data: str = ""
    """What was made up where the workload has no data of its own, in words."""
    waiting_callbacks: tuple[str, ...] = ()
    """The workload's callbacks for which Keras waits for every batch, where else it goes on."""
    ending_callback: tuple[str, int] | None = None
    """The callback of the workload that first asked for the end of the training, and after how many
    epochs; the training went on. None where none did."""
    fit_epochs: int | None = None
    """How many epochs the workload's own settings of `fit` ask for; None of a prediction, and in
    results from before it was kept."""
    counted: tuple[float, ...] | None = None
    """How much of each epoch counts, of 1: what lies within the stretch of time by which the arms
    of a group are compared. None for all after the warm-up, as in results from before processes
    were measured in slices."""
    slice_seconds: float | None = None
    """For how long its process ran at a time while the others of its group were stopped; None
    where that was whole epochs."""
    sliced_to_free: float | None = None
    """An epoch's time in slices ÷ its time without, where the two were compared: in the first round
    of a group. They were seen one after the other."""

    @property
    def method(self) -> Method:
        """How it was measured together with others."""
        return "turns" if self.counted is None else "slices"


#: The name of a file that stands for standard output.
STANDARD_OUTPUT = Path("-")

#: What a parameter of a workload may be set to.
Parameter = str | int | float | bool | None


@dataclass(frozen=True)
class EnvironmentChoice:
    """What a user says about environments: specs by backend, and whether and where to make any.

    `cache` is the folder that they are kept in, None for the usual one, and `python` what they
    are made with, a version or a path, None for the interpreter that runs the suite. `additions`
    are the requirements, and the folders of projects, that are installed besides. `variables` are
    the names of those of the user's shell that workers get, too; their values stand in no record.
    """

    named: tuple[tuple[str, str], ...] = ()
    may_make: bool = True
    cache: Path | None = None
    python: str | None = None
    additions: tuple[str | Path, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Which workloads the user wants: by name, file or module, by tag, and with what set.

    Without a name and a tag it is the two networks of the notes. Of `parameters`, each with the
    values it is to take, every combination makes a workload of its own.
    """

    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parameters: tuple[tuple[str, tuple[Parameter, ...]], ...] = ()


@dataclass(frozen=True)
class Failure:
    """Why an arm has no further samples: one line, and the exit code of its kind."""

    round: int
    message: str
    exit_code: int
    unsupported: bool = False
    """Whether it has none at all because the workload isn't for its backend."""


#: It agrees to rounding; it differs for known reasons; it differs; it couldn't be checked, or
#: was not to be.
ParityOutcome = Literal["agrees", "explained", "differs", "unchecked"]


@dataclass(frozen=True)
class Parity:
    """Whether an arm's backend learns what it should, and that in a sentence.

    `running_losses` are the backend's after each step that the check looks at, in order, all from
    the same weights on the same batches, and `reference_losses` what they are compared with. Both
    are empty where nothing was trained, and of results from before they were kept. `exit_code` is
    that of the failure that kept it from being checked, and 0 where it couldn't be by design.
    """

    outcome: ParityOutcome
    summary: str
    running_losses: tuple[float, ...] = ()
    reference_losses: tuple[float, ...] = ()
    exit_code: int = 0


UNCHECKED = Parity("unchecked", "it wasn't checked")


@dataclass(frozen=True)
class ArmResult:
    """All that a run knows of one arm."""

    arm: Arm
    samples: tuple[Sample, ...] = ()
    failure: Failure | None = None
    parity: Parity = UNCHECKED

    @property
    def fault(self) -> Failure | None:
        """Why it failed, or else what kept its parity from being checked."""
        if self.failure is None and self.parity.exit_code:
            return Failure(0, self.parity.summary, self.parity.exit_code)
        return self.failure


@dataclass(frozen=True)
class Frame:
    """A function on a stack and its file, which is told from its package on."""

    function: str
    file: str


@dataclass(frozen=True)
class Stack:
    """Where the thread that trains was, the outermost frame first, and in how many samples."""

    frames: tuple[Frame, ...]
    samples: int


@dataclass(frozen=True)
class Profile:
    """What a sampling profiler saw of a training by `fit`, its first epochs left out."""

    profiler: str
    stacks: tuple[Stack, ...]


@dataclass(frozen=True)
class Settings:
    """What the user asked of a run. `rounds` is None where precision and budget decide.

    In a round each arm trains for `training_seconds`, and an epoch, at the least: its speed
    wanders in phases of seconds, which a much shorter time would show as its own.
    """

    precision: float = 0.05
    budget_seconds: float | None = 236.0
    rounds: int | None = None
    threads: str = "default"
    seed: int = 0
    timeout_seconds: float = 300.0
    training_seconds: float = 2.0
    parity: bool = True
    """Whether to check first that the backends learn the same."""


#: Which clock counts: wall time, or the CPU time of the whole process.
Clock = Literal["wall", "cpu"]

#: What may be asked for: a clock, or each backend's steadier one.
Metric = Literal["auto", "wall", "cpu"]


@dataclass(frozen=True)
class GateSettings:
    """What the user asked of a gate. `threshold` is the slowdown that must not be missed.

    In a round each side trains for `training_seconds`, and an epoch, at the least.
    `cpu` is the core that workers are pinned to, None for none.
    """

    threshold: float = 0.05
    metric: Metric = "auto"
    budget_seconds: float = 300.0
    threads: str = "single"
    cpu: int | None = None
    training_seconds: float = 1.5
    seed: int = 0
    timeout_seconds: float = 300.0
    parity: bool = True
    loop: str = "fit"


@dataclass(frozen=True)
class Machine:
    """Facts of the hardware and the operating system that decide which runs may be compared."""

    cpu: str
    architecture: str
    logical_cores: int
    usable_cores: int
    memory_gib: int
    system: str
    system_release: str
    fingerprint: str


@dataclass(frozen=True)
class Surroundings:
    """What was seen of the machine before a run. None means that the system doesn't tell."""

    usable_cores: int
    cpu_quota_cores: float | None
    busy_percent: float
    steal_percent: float | None
    governor: str | None
    on_battery: bool | None
    thread_variables: tuple[str, ...]
    observers: tuple[str, ...]
    crowded: tuple[tuple[str, tuple[str, ...]], ...]
    """Interpreters that hold several frameworks, and which."""
    distributions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Interpreters, modules of them, and the distributions that bring these, where unusual."""
    available_memory_bytes: int | None = None
    """What workers can have of the memory; None in results from before it was kept."""


#: What the user asked for, of one command or another.
Asked = TypeVar("Asked", Settings, GateSettings)


@dataclass(frozen=True)
class Measured(Generic[Asked]):
    """Everything that one call of a command measured, round after round."""

    started_utc: str
    machine: Machine
    settings: Asked
    results: tuple[ArmResult, ...]
    rounds: int = 0
    elapsed_seconds: float = 0.0
    complete: bool = False
    stopped: str = "interrupted"
    """Why it ended: "precise", "decided", "budget", "rounds", "failed", "parity", or
    "interrupted"."""
    surroundings: Surroundings | None = None
    """What was seen of the machine at the start; None of results from before it was kept."""
    schema_version: int = SCHEMA_VERSION

    @property
    def available_memory_bytes(self) -> int | None:
        """What workers could have of the memory; None where that wasn't seen."""
        return None if self.surroundings is None else self.surroundings.available_memory_bytes


@dataclass(frozen=True)
class Run(Measured[Settings]):
    """What `keras-bench run` or `explain` measured: arms that are compared with the fastest."""


@dataclass(frozen=True)
class Gate(Measured[GateSettings]):
    """What `keras-bench gate` or `versions` measured: arms that are compared in their order.

    `results` holds two arms or more per workload and backend, told apart by the labels of their
    environments: each is compared with the one before it.
    """


@dataclass(frozen=True)
class CalibrationRound:
    """A round of a calibration: the slowdown that was added to the candidate, and what it showed.

    `log_ratio` is log(candidate seconds ÷ baseline seconds) by wall time, `cpu_log_ratio` by CPU
    time; `seconds` is how long the round took.
    """

    slowdown: float
    log_ratio: float
    cpu_log_ratio: float
    seconds: float
    other_busy_cores: float

    def by(self, clock: Clock) -> float:
        """Return the log ratio by this clock."""
        return self.log_ratio if clock == "wall" else self.cpu_log_ratio


@dataclass(frozen=True)
class Calibration:
    """Rounds of one workload on one backend, the same environment on both sides."""

    started_utc: str
    machine: Machine
    environment: Environment
    workload: str
    backend: str
    threads: str
    cpu: int | None
    training_seconds: float
    seed: int
    parity_seconds: float
    metric: Clock
    rounds: tuple[CalibrationRound, ...] = ()
    method: Method = "turns"
    """How its rounds were measured; those by another one say nothing of a gate."""
    schema_version: int = SCHEMA_VERSION
