"""Trains from given weights on given batches, and writes down what comes of every stage.

Each stage of a step is fed by the reference, so that an error doesn't travel from one stage
to the next.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_bench.worker.blueprint import describe
from keras_bench.worker.compared_data import compared_examples
from keras_bench.worker.compared_model import (
    hand_batches_as_fit_does,
    kept_variables,
    make_metrics_of_losses,
    numbers_of_step,
    random_layers_off,
    refuse_half_precision,
    unused_gradients,
)
from keras_bench.worker.data import batch_size
from keras_bench.worker.gradients import GRADIENTS
from keras_bench.worker.preparing import prepare
from keras_bench.worker.protocol import (
    TRAINING,
    Observation,
    ParityRequest,
    Refusal,
    decode_script,
)
from keras_bench.worker.refusals import refusal
from keras_bench.worker.stages import Subject
from keras_bench.worker.training import TASKS


def check(
    request: ParityRequest,
    enter: Callable[[str], None],
    reply: Callable[[str, Any], None],
    hear: Callable[[], str],
) -> None:
    """Answer with the model's blueprint, and then each script with what was seen, until the end."""
    folder = Path(request.folder)
    prepared = prepare(request, enter)
    keras, model = prepared.keras, prepared.model
    settings = dict(prepared.parts.fit)
    settings.pop("validation_split", None)
    gradients = GRADIENTS[request.backend](model)
    try:
        examples = compared_examples(prepared, request).weighted
        first_batch = examples.first(batch_size(settings))
        if not model.built:
            model(first_batch.x)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        kept = kept_variables(keras, model)
        make_metrics_of_losses(model, first_batch)
        step_numbers = numbers_of_step(keras, gradients, model, first_batch.x)
        unused = unused_gradients(keras, gradients, model, first_batch.x)
        hand_batches_as_fit_does(model)
        arrays_file = folder / f"{request.name}-arrays.npz"
        blueprint = describe(keras, model, examples, settings, arrays_file, step_numbers)
    except Refusal:
        raise
    except Exception as error:
        raise refusal("can't be looked into:", error) from error
    refuse_half_precision(model)
    reply("blueprint", blueprint)

    for count in itertools.count(1):
        script = decode_script(hear())
        enter(TRAINING)
        subject = Subject(keras, gradients, model, examples, script, unused, kept)
        try:
            # Its arrays are read as they are needed: a large model's are too many at once.
            with np.load(script.file) as given, random_layers_off(model):
                seen = TASKS[script.task](subject, given)
        except Refusal:
            raise
        except Exception as error:
            raise refusal("training raises", error) from error
        seen_file = folder / f"{request.name}-seen-{count}.npz"
        np.savez(seen_file, **seen)  # type: ignore[arg-type]
        reply("observation", Observation(str(seen_file)))
