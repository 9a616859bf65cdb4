"""Lets `keras-bench parity` compare the layers, losses and optimizers that Keras exports.

    python docs/scripts/sweep_keras.py FOLDER                  all workloads, one after another
    python docs/scripts/sweep_keras.py FOLDER --only image     the workloads with this in their name
    python docs/scripts/sweep_keras.py FOLDER --write          keep the verdicts that are there

Cases are made from the signatures of what Keras exports, and from the tables of sweep_cases.py.
Each case trains a step by itself on two backends. Those that train are packed into workloads,
several in one network, because parity takes each layer apart by itself. FOLDER gets the workloads
and a verdict for each; one whose verdict is there isn't checked again.

`--write` puts all verdicts into results/parity_sweep.json, and their table into
docs/explanation/parity.md, between "<!-- measured: sweep -->" and "<!-- end -->".
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from measured_parts import with_parts
from sweep_cases import Case, Exports, cases_of, left_out
from sweep_workloads import Pack

from keras_bench.environments.finding import environments_of
from keras_bench.records import BACKENDS, EnvironmentChoice
from keras_bench.report.markdown import pipe_table
from keras_bench.report.text_table import TextTable

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "explanation" / "parity.md"
STORED = PROJECT / "results" / "parity_sweep.json"
IN_BACKEND = Path(__file__).with_name("sweep_in_backend.py")

#: Where cases are tried one by one. JAX would compile each operation of each; what it refuses shows
#: when parity is asked of halves.
TRIED = ("tensorflow", "torch")

#: Cases in one network.
MOST_CASES = 24

Document = Mapping[str, Any]


def plan(folder: Path) -> tuple[Exports, list[Case], dict[str, dict[str, str]], list[Pack]]:
    """Return what Keras exports, all cases, the errors of each by backend, and the workloads.

    What the backends say is kept in the folder.
    """
    alone = folder / "alone"
    alone.mkdir(parents=True, exist_ok=True)
    known = folder / "exports.json"
    if not known.exists():
        known.write_text(json.dumps(ask("jax", "list")), encoding="utf-8")
    exports = json.loads(known.read_text(encoding="utf-8"))
    cases = cases_of(exports)
    errors: dict[str, dict[str, str]] = {case.name: {} for case in cases}
    for backend in TRIED:
        for case, error in zip(cases, tried(cases, backend, alone), strict=True):
            if error:
                errors[case.name][backend] = error
    return exports, cases, errors, list(packed(cases, errors))


def tried(cases: Sequence[Case], backend: str, folder: Path) -> list[str]:
    """Return the error of each case, trained by itself, empty where there is none."""
    file = folder / f"{backend}.json"
    told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    files = {}
    for case in cases:
        if case.code not in told:
            files[case.code] = str(folder / f"{case.name}.py")
            Path(files[case.code]).write_text(Pack("", "normal", (case,)).text, encoding="utf-8")
    if files:
        answers = ask(backend, "try", *files.values())
        told |= {code: answers[name] for code, name in files.items()}
        file.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return [told[case.code] for case in cases]


def ask(backend: str, *arguments: str) -> Any:
    """Return what sweep_in_backend.py prints on a backend."""
    found = environments_of(EnvironmentChoice(), print).interpreters([backend], {})
    answer = subprocess.run(
        [found[backend].python, str(IN_BACKEND), *arguments],
        env=os.environ | {"KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def packed(cases: Sequence[Case], errors: Mapping[str, Mapping[str, str]]) -> Iterator[Pack]:
    """Yield the workloads: cases that the same backends train, of one kind, on the same data.

    What is exported comes with its defaults first, then on values with zeros, ties and large
    numbers, losses with weights of the examples as well, and then with options.
    """
    groups: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
    for case in cases:
        backends = tuple(each for each in BACKENDS if each not in errors[case.name])
        values = ["normal" if case.is_first else "options"]
        if case.template == "losses":
            values += ["edges"] * ("'labels'" not in case.line) + ["weighted"] * case.is_first
        elif case.template in ("layers", "pixels") and case.is_first:
            values += ["edges"]
        for each in values:
            groups[each, case.data, backends].append(case)
    order = ["normal", "edges", "weighted", "options"]
    for (values, data, backends), members in sorted(
        groups.items(), key=lambda group: order.index(group[0][0])
    ):
        if len(backends) > 1:
            size = 1 if data == "optimizer" else MOST_CASES
            for start in range(0, len(members), size):
                name = "_".join([data, values, *(() if backends == BACKENDS else backends)])
                some = tuple(members[start : start + size])
                yield Pack(f"{name}_{start // size + 1}", values, some, backends)


def check(pack: Pack, folder: Path) -> None:
    """Let parity compare a workload; its halves too where a backend can't train the whole."""
    file, verdict = folder / f"{pack.name}.py", folder / f"{pack.name}.json"
    if not file.exists() or file.read_text(encoding="utf-8") != pack.text:
        file.write_text(pack.text, encoding="utf-8")
        verdict.unlink(missing_ok=True)
    if not verdict.exists():
        backends = [f"--backend={backend}" for backend in pack.backends]
        command = ["parity", str(file), *backends, "--epochs=1", f"--json={verdict}"]
        subprocess.run([sys.executable, "-m", "keras_bench", *command], check=False)
    if not whole(pack, folder):
        for half in pack.halves:
            check(half, folder)


def whole(pack: Pack, folder: Path) -> Document | None:
    """Return the verdict on a workload, None where there is none or a backend is unchecked."""
    file = folder / f"{pack.name}.json"
    if not file.exists():
        return None
    document: Document = json.loads(file.read_text(encoding="utf-8"))
    (workload,) = document["workloads"]
    checked = all(each["outcome"] != "unchecked" for each in workload["backends"])
    return document if checked or not pack.halves else None


def verdicts(packs: Sequence[Pack], folder: Path) -> Iterator[tuple[Pack, Document]]:
    """Yield each workload that was compared, with its verdict; halves in the place of a whole."""
    for pack in packs:
        document = whole(pack, folder)
        if document:
            yield pack, document
        else:
            yield from verdicts(pack.halves, folder)


def row(pack: Pack, case: Case, document: Document) -> dict[str, Any]:
    """Return what became of a case: the outcome on each backend, and what parity said of it.

    A cause that names no case of the workload may be that of any, whose outcome is "unknown" then.
    """
    (workload,) = document["workloads"]
    names = {each.name for each in pack.cases}
    outcomes, said = {}, {}
    for each in workload["backends"]:
        outcome = each["outcome"]
        about = {
            cause["what"]: names & set(re.findall(r"\w+", cause["what"])) or names
            for cause in each["causes"]
        }
        mine = [what for what, named in about.items() if case.name in named]
        if outcome == "differs":
            certain = [what for what in mine if about[what] == {case.name}]
            outcome = "differs" if certain else "unknown" if mine else "agrees"
        outcomes[each["backend"]] = outcome
        if mine or each["failure"]:
            said[each["backend"]] = mine or [each["failure"]]
    return {
        "kind": case.kind,
        "of": case.of,
        "case": case.code,
        "values": pack.values,
        "workload": pack.name,
        "outcomes": outcomes,
        "said": said,
    }


def stored(folder: Path) -> Document:
    """Return all that came of the sweep."""
    exports, cases, errors, packs = plan(folder)
    found = list(verdicts(packs, folder))
    return {
        "environments": found[0][1]["environments"],
        "settings": found[0][1]["settings"],
        "cases": dict(Counter(case.kind for case in cases)),
        "workloads": {
            pack.name: [each["sentence"] for each in document["workloads"][0]["backends"]]
            for pack, document in found
        },
        "rows": [row(pack, case, document) for pack, document in found for case in pack.cases],
        "unsupported": [
            {
                "kind": case.kind,
                "of": case.of,
                "case": case.code,
                "errors": {backend: in_a_line(text) for backend, text in errors[case.name].items()},
            }
            for case in cases
            if errors[case.name]
        ],
        "left_out": left_out(exports),
    }


def in_a_line(error: str) -> str:
    """Return the first words of an error, without the signs that colour it on a terminal."""
    return " ".join(re.sub(r"\x1b\[\d*m", "", error).split())[:200]


def table(document: Document) -> str:
    """Return the table of the page: how many of each kind were compared, and which differ."""
    cells = []
    for kind, made in document["cases"].items():
        mine = [each for each in document["rows"] if each["kind"] == kind]
        refused = [each for each in document["unsupported"] if each["kind"] == kind]
        differing = {
            f"{each['of']} ({', '.join(where)})"
            for each in mine
            if (where := [name for name, what in each["outcomes"].items() if what == "differs"])
        }
        cells.append(
            [
                kind,
                str(made),
                str(len({each["case"] for each in mine})),
                str(len(mine)),
                str(sum(set(each["outcomes"].values()) == {"agrees"} for each in mine)),
                ", ".join(sorted(differing)),
                str(len(refused)),
            ]
        )
    titles = ["kind", "cases", "compared", "comparisons", "agree", "differ", "refused by a backend"]
    return pipe_table(TextTable.of(titles, [False, True, True, True, True, False, True], cells))


def main() -> None:
    """Sweep, or write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="the workloads with this in their name")
    parser.add_argument("--write", action="store_true", help="keep the verdicts that are there")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if options.write:
        document = stored(folder)
        STORED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        page = with_parts(PAGE.read_text(encoding="utf-8"), {"sweep": table(document)})
        PAGE.write_text(page, encoding="utf-8")
        return
    *_, packs = plan(folder)
    for pack in packs:
        if options.only in pack.name:
            check(pack, folder)


if __name__ == "__main__":
    main()
