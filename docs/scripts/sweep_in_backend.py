"""What sweep_keras.py asks of a backend's interpreter; needs Keras and the backend alone.

python sweep_in_backend.py list            prints what Keras exports, with its arguments
python sweep_in_backend.py try FILE ...    prints the errors of such workloads
"""

import inspect
import json
import runpy
import sys

import keras

KINDS = ("layers", "losses", "optimizers", "activations", "regularizers", "constraints")

BATCH = 8


def exports(kind: str) -> dict[str, dict[str, bool]]:
    """Return the arguments of each class (or activation), and whether each has a default.

    What Keras exports under several names comes once, by its own name if that is one of them.
    """
    is_wanted = inspect.isfunction if kind == "activations" else inspect.isclass
    found = {}
    for name, thing in vars(getattr(keras, kind)).items():
        if is_wanted(thing) and (id(thing) not in found or name == thing.__name__):
            arguments = {
                each.name: each.default is not each.empty
                for each in inspect.signature(thing).parameters.values()
                if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
            }
            found[id(thing)] = name, arguments
    return dict(sorted(found.values()))


def error(file: str) -> str:
    """Train a step of a workload, outside of compiled functions; return the error, if any."""
    keras.utils.clear_session()
    try:
        workload = runpy.run_path(file)
        model = workload["build"]()
        model.run_eagerly, model.jit_compile = True, False
        data = keras.tree.map_structure(lambda array: array[:BATCH], workload["data"](0))
        model.train_on_batch(*data)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    task, *files = sys.argv[1:]
    if task == "list":
        answer = {kind: exports(kind) for kind in KINDS}
    else:
        answer = {file: error(file) for file in files}
    print(json.dumps(answer))
