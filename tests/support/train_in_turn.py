"""Trains workloads one after the other in one process, as a worker trains one.

`python train_in_turn.py BACKEND` runs in a framework's environment. It reads a JSON list of
[file, builder] on standard input. The last line that it prints is a JSON list: for each workload
the fields of its sample, or {"kind": ..., "message": ..., "remedy": ...} of what refused it.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from keras_bench.worker import data
from keras_bench.worker.leaving import Leaving
from keras_bench.worker.protocol import Refusal, TimingRequest, Workload
from keras_bench.worker.stamps import Stamps
from keras_bench.worker.timing import measure

# A hundred thousand batches of an endless source take a minute to be gone through.
data.MOST_BATCHES = 1000


EPOCHS = 3


def stamps() -> Stamps:
    return Stamps(EPOCHS, lambda key, value: None, Leaving())


def train(file: str, builder: str, backend: str) -> dict[str, object]:
    workload = Workload(Path(file).stem, file, str(Path(file).parent), builder)
    request = TimingRequest(workload=workload, backend=backend, seed=0, epochs=EPOCHS)
    try:
        return asdict(measure(request, lambda stage: None, stamps))
    except Refusal as refusal:
        return {"kind": refusal.kind, "message": str(refusal), "remedy": refusal.remedy}


if __name__ == "__main__":
    print(json.dumps([train(*each, sys.argv[1]) for each in json.load(sys.stdin)]))
