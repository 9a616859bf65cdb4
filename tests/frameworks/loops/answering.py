"""Answers questions on loops in a framework's environment.

`python answering.py FLOATX` runs there with KERAS_BACKEND set. To each line that it reads it
answers with one of JSON:

- `LOOP CASE`: what the loop left that `fit` didn't of a case in `trainings.py`, or why it refused;
- `in_turn CASE`: the same of `fit` and fused epochs in turn;
- `check NAME`, `refusal NAME`: nothing, if what `drives.py` holds under that name is so;
- `stretches NAME`: nothing, if what `stretches.py` holds under that name is so.
"""

import json
import os
import sys
import traceback
from typing import Any

from comparing import compare, refusal
from trainings import CASES


def answer(keras: Any, kind: str, name: str) -> dict[str, Any]:
    from keras_bench.loops.fused import fit_fused
    from keras_bench.loops.named import training_by
    from keras_bench.loops.refusals import LoopRefusal

    def loop(model: Any, *data: Any, **settings: Any) -> Any:
        if kind == "in_turn":
            from stretches import in_turn

            return in_turn(model, *data, **settings)
        return training_by(kind, model)(*data, **settings)

    try:
        if kind in ("check", "refusal"):
            import drives

            drives.CHECKED[kind][name](keras, fit_fused)
            return {}
        if kind == "stretches":
            import stretches

            stretches.STRETCHES[name](keras)
            return {}
        if CASES[name].refused is not None:
            return refusal(keras, loop, CASES[name])
        return compare(keras, loop, CASES[name])
    except LoopRefusal as reason:
        return {"refusal": str(reason)}
    except Exception:
        return {"error": traceback.format_exc()}


def main() -> None:
    # Frameworks print on stdout.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    floatx = sys.argv[1]
    if floatx == "float64":
        os.environ["JAX_ENABLE_X64"] = "1"
    import keras

    keras.config.set_floatx(floatx)
    for line in sys.stdin:
        replies.write(json.dumps(answer(keras, *line.split())) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
