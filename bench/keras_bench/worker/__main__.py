"""The worker: one process that answers one request.

Started as `python -m keras_bench.worker REPLY_FD`.
"""

import os
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any

from keras_bench.loops.keras_private import MissingPart
from keras_bench.worker.leaving import Leaving
from keras_bench.worker.predicting import predict
from keras_bench.worker.process_facts import allow_watching
from keras_bench.worker.protocol import (
    READY,
    STOP,
    FreeTrainingRequest,
    LoopParityRequest,
    ParityRequest,
    PredictingRequest,
    PredictionsRequest,
    Problem,
    Refusal,
    TimingRequest,
    decode_request,
    write_reply,
)
from keras_bench.worker.stamps import Stamps
from keras_bench.worker.timing import measure


def main() -> None:
    """Answer one request, then end the process without the frameworks' slow teardown."""
    reply_fd = int(sys.argv[1])
    os.set_inheritable(reply_fd, False)
    inbox: SimpleQueue[str] = SimpleQueue()
    leaving = Leaving()
    threading.Thread(target=_hear, args=(inbox, leaving), daemon=True).start()
    with os.fdopen(reply_fd, "w", encoding="utf-8") as pipe:

        def reply(key: str, value: Any) -> None:
            write_reply(pipe, key, value)

        request = decode_request(inbox.get())

        def enter(stage: str) -> None:
            reply("stage", stage)

        def begin() -> Stamps:
            epochs = getattr(request, "epochs", None)
            if epochs is None:
                enter(READY)
                inbox.get()
            return Stamps(epochs, reply, leaving)

        try:
            if isinstance(request, ParityRequest):
                # Needs NumPy, whose import would be missing from what timing measures.
                from keras_bench.worker.parity import check

                check(request, enter, reply, inbox.get)
            elif isinstance(request, FreeTrainingRequest):
                from keras_bench.worker.free_training import train_freely

                train_freely(request, enter, reply, inbox.get)
            elif isinstance(request, LoopParityRequest):
                from keras_bench.worker.loop_parity import check_loops

                check_loops(request, enter, reply, inbox.get)
            elif isinstance(request, PredictionsRequest):
                from keras_bench.worker.predictions import show_predictions

                reply("predictions", show_predictions(request, enter))
            elif isinstance(request, PredictingRequest):
                reply("sample", predict(request, enter, begin))
            elif isinstance(request, TimingRequest):
                if request.watched:
                    allow_watching()
                reply("sample", measure(request, enter, begin))
        except MissingPart as missing:
            trace, remedy = traceback.format_exc(), "take another release of Keras"
            reply("problem", Problem("unsupported", missing.reason, trace, remedy))
        except Refusal as refusal:
            kind, remedy = refusal.kind, refusal.remedy
            reply("problem", Problem(kind, str(refusal), traceback.format_exc(), remedy))
    os._exit(0)


def _hear(inbox: "SimpleQueue[str]", leaving: Leaving) -> None:
    """Pass on what the coordinator says, and end this process when it is gone.

    So no worker outlives its coordinator. Reading blocks and costs nothing while an epoch is
    timed.
    """
    for line in sys.stdin:
        if line.strip() == STOP:
            leaving.ask()
        else:
            inbox.put(line)
    os._exit(1)


if __name__ == "__main__":
    main()
