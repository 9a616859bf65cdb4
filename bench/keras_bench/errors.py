"""Everything that can go wrong, drawn as a tree, with an exit code for each kind.

    BenchError
    ├── UsageError           2   an unknown name, a contradiction on the command line
    ├── WorkloadError        3   the workload file, or the training it asks for
    │   └── Unsupported          it isn't for this backend; another may train it
    ├── Uncheckable              parity has no means to compare it, which is no failure
    ├── BackendError         4   an interpreter, or a framework that is missing or can't do it
    ├── WorkerDied           5   the worker process ended before it answered
    ├── WorkerTimeout        6   the worker process did not answer in time
    ├── LossDiverged         7   a loss became NaN or infinite
    ├── ResultsUnwritable    8   a results directory that can't be written
    │   └── DiskFull         9
    ├── ResultsBroken       10   a stored run that can't be read
    ├── ParityFailed        11   a backend learns something else, for no known reason
    ├── Regressed           12   a gate or a comparison found the candidate slower
    ├── Undecided           13   a gate couldn't decide, and was told that this fails
    ├── MachinesDiffer      14   two runs of different machines or thread policies
    ├── NothingMeasured     15   nothing counts, or two runs have no arm in common
    └── Interrupted        130   Ctrl-C, SIGTERM or SIGHUP; the finished samples are saved

0 is success, and 1 is a fault of the suite itself.
"""


class BenchError(Exception):
    """One line for the user: the thing, the reason, and the remedy."""

    exit_code = 1

    def __init__(self, thing: str, reason: str, remedy: str) -> None:
        super().__init__(f"{thing}: {reason}; {remedy}")


class UsageError(BenchError):
    """The command line names an unknown workload, backend or option, or contradicts itself."""

    exit_code = 2


class WorkloadError(BenchError):
    """A workload file can't be read, lacks a part, or fails while it trains."""

    exit_code = 3


class Unsupported(WorkloadError):
    """A workload says that it isn't for this backend; no fault where another one trains it."""


class Uncheckable(BenchError):
    """Parity has no means to compare a workload, by design: it is measured all the same."""

    exit_code = 0


class BackendError(BenchError):
    """An interpreter isn't one, lacks a framework, or has one that fails or can't do it."""

    exit_code = 4


class WorkerDied(BenchError):
    """A worker process ended before it answered."""

    exit_code = 5


class WorkerTimeout(BenchError):
    """A worker process gave no answer in time and was ended."""

    exit_code = 6


class LossDiverged(BenchError):
    """A loss became NaN or infinite, so the timing is not that of a training."""

    exit_code = 7


class ResultsUnwritable(BenchError):
    """A results directory, another output, or the lock of the machine can't be written."""

    exit_code = 8


class DiskFull(ResultsUnwritable):
    """The disk that holds the results directory is full."""

    exit_code = 9


class ResultsBroken(BenchError):
    """A stored run is missing, broken, or of another schema."""

    exit_code = 10


class ParityFailed(BenchError):
    """A backend, or one side of a gate, learns something else, for no known reason."""

    exit_code = 11


class Regressed(BenchError):
    """A candidate is slower than its baseline."""

    exit_code = 12


class Undecided(BenchError):
    """A verdict is undecided under `--fail-undecided`, or the clock jumped in a calibration."""

    exit_code = 13


class MachinesDiffer(BenchError):
    """Two runs were measured on different machines or with different thread policies."""

    exit_code = 14


class NothingMeasured(BenchError):
    """No round of a gate counts, or two runs have no arm in common or are the same."""

    exit_code = 15


class Interrupted(BenchError):
    """Ctrl-C, SIGTERM or SIGHUP stopped the run; its samples are saved and marked incomplete."""

    exit_code = 130
