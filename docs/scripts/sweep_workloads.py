"""The workloads of sweep_keras.py: several cases in one network, as a file of plain Keras."""

from dataclasses import dataclass, replace

from sweep_cases import Case

from keras_bench.records import BACKENDS

SHAPES = {
    "vector": (6,), "sequence": (8, 3), "image": (7, 9, 3), "volume": (5, 6, 7, 3),
    "movie": (3, 4, 5, 4, 2), "pixels": (12, 10, 3), "tokens": (6,), "signal": (64,),
}  # fmt: skip

HEAD = '''\
"""{title}: a part of the sweep by docs/scripts/sweep_keras.py."""

import math

import keras
import numpy as np
from keras import layers, losses, optimizers

FIT = {{"batch_size": 8, "epochs": 1, "shuffle": False}}

VALUES = {values!r}
# It is 0 for large values, by which a training would diverge.
RATE = {rate}
EDGES = [-12.0, -2.0, -1.0, -0.5, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 6.0, 12.0]


class Scale(layers.Layer):
    """Times a weight, so that the gradient by what goes into the next layer is needed."""

    def __init__(self, reverse=False, **kwargs):
        super().__init__(**kwargs)
        self.reverse = reverse

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, x):
        x = x * self.scale
        return keras.ops.flip(x, axis=1) if self.reverse else x


class Joined(layers.Layer):
    """What all layers give, as rows of numbers side by side."""

    def call(self, outputs):
        rows = [
            keras.ops.reshape(keras.ops.cast(each, self.dtype), (-1, math.prod(each.shape[1:])))
            for each in outputs
        ]
        return keras.ops.concatenate(rows, axis=-1)


def drawn(random, *shape):
    return (random.choice(EDGES, shape) if VALUES == "edges" else random.normal(size=shape)).astype(
        "float32"
    )


CASES = {{
{cases}
}}


'''

LAYERS = """\
def build(only=""):
    inputs = keras.Input({shape})
    x, z = Scale(name="x")(inputs), Scale(reverse=True, name="z")(inputs)
    outputs = [case(x, z) for name, case in CASES.items() if only in ("", name)]
    model = keras.Model(inputs, layers.Dense(1, name="out")(Joined(name="joined")(outputs)))
    model.compile(optimizers.SGD(RATE), "mse")
    return model


def data(seed, only=""):
    random = np.random.default_rng(seed)
    return drawn(random, 24, *{shape}), random.normal(size=(24, 1)).astype("float32")
"""

PIXELS = LAYERS.replace(
    "    return drawn(random, 24, *{shape})",
    """\
    x = random.uniform(0, 255, (24, *{shape}))
    if VALUES == "edges":
        x = random.choice([0.0, 0.0, 126.5, 127.0, 127.5, 255.0], x.shape)
        x[::3] = 64.0
    return x.astype("float32")""",
)

TOKENS = LAYERS.replace(
    'Scale(name="x")(inputs), Scale(reverse=True, name="z")(inputs)',
    "inputs, keras.ops.flip(inputs, axis=1)",
).replace("keras.Input({shape})", 'keras.Input({shape}, dtype="int32")').replace(
    "drawn(random, 24, *{shape})", 'random.integers(0, 10, (24, *{shape})).astype("int32")'
)  # fmt: skip

LOSSES = """\
#: What a loss is given where its values are edges, by the activation that is left out then.
GIVEN = {{
    "linear": EDGES, "sigmoid": [0.0, 1e-8, 0.5, 1.0 - 1e-6, 1.0], "softmax": [0.0, 1e-8, 0.5, 1.0],
    "exponential": [0.0, 1.0, 2.0, 50.0], "softplus": [0.0, 1.0, 2.0, 50.0],
}}
TARGETS = {{
    "any": lambda random, n: drawn(random, n, 4),
    "positive": lambda random, n: np.abs(drawn(random, n, 4)),
    "bits": lambda random, n: random.integers(0, 2, (n, 4)).astype("float32"),
    "signs": lambda random, n: 2.0 * random.integers(0, 2, (n, 4)).astype("float32") - 1.0,
    "one_hot": lambda random, n: np.eye(4, dtype="float32")[random.integers(0, 4, n)],
    "number": lambda random, n: random.integers(0, 4, n).astype("int32"),
    "labels": lambda random, n: random.integers(1, 4, (n, 3)).astype("int32"),
}}


def chosen(only):
    return {{name: case for name, case in CASES.items() if only in ("", name)}}


def build(only=""):
    cases = chosen(only)
    if VALUES == "edges":
        kinds = sorted({{ends for ends, _, _ in cases.values()}})
        inputs = {{kind: keras.Input((4,), name=kind) for kind in kinds}}
        outputs = {{name: Scale(name=name)(inputs[ends]) for name, (ends, _, _) in cases.items()}}
    else:
        inputs, outputs = keras.Input((6,)), {{}}
        for name, (ends, targets, _) in cases.items():
            if targets == "labels":
                steps = layers.Dense(24, name=f"{{name}}_steps")(inputs)
                outputs[name] = layers.Reshape((6, 4), name=name)(steps)
            else:
                outputs[name] = layers.Dense(4, ends, name=name)(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(optimizers.SGD(1e-3), loss={{name: loss for name, (_, _, loss) in cases.items()}})
    return model


def data(seed, only=""):
    random, cases = np.random.default_rng(seed), chosen(only)
    x = drawn(random, 24, 6)
    if VALUES == "edges":
        kinds = sorted({{ends for ends, _, _ in cases.values()}})
        x = {{kind: random.choice(GIVEN[kind], (24, 4)).astype("float32") for kind in kinds}}
    y = {{name: TARGETS[targets](random, 24) for name, (_, targets, _) in cases.items()}}
    if VALUES == "weighted":
        return x, y, {{name: random.integers(0, 3, 24).astype("float32") for name in cases}}
    return x, y
"""

OPTIMIZERS = """\
def build(only=""):
    cases = {{name: case() for name, case in CASES.items() if only in ("", name)}}
    inputs = keras.Input((6,))
    outputs = [layers.Dense(5, "tanh", name=name)(inputs) for name in cases]
    model = keras.Model(inputs, layers.Dense(1, name="out")(Joined(name="joined")(outputs)))
    optimizer = next(iter(cases.values()))
    if len(cases) > 1:
        weights = {{f"{{name}}/{{part}}": each for name, each in cases.items() for part in PARTS}}
        optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD(), weights))
    model.compile(optimizer, "mse")
    return model


PARTS = ("kernel", "bias")


def data(seed, only=""):
    random = np.random.default_rng(seed)
    return drawn(random, 40, 6), random.normal(size=(40, 1)).astype("float32")
"""

TEMPLATES = {
    "layers": LAYERS,
    "pixels": PIXELS,
    "tokens": TOKENS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
}


@dataclass(frozen=True)
class Pack:
    """A workload of several cases."""

    name: str
    values: str
    cases: tuple[Case, ...]
    backends: tuple[str, ...] = BACKENDS

    @property
    def text(self) -> str:
        """The workload file."""
        template, data = self.cases[0].template, self.cases[0].data
        title = f"{data}, values: {self.values}"
        cases = "\n".join(f'    "{case.name}": {case.line},' for case in self.cases)
        rate = "1e-4" if self.values != "edges" and template != "pixels" else "0.0"
        head = HEAD.format(title=title, values=self.values, rate=rate, cases=cases)
        return head + TEMPLATES[template].format(shape=SHAPES.get(data))

    @property
    def halves(self) -> "tuple[Pack, ...]":
        """Two packs of half of the cases each, none of one case."""
        if len(self.cases) == 1:
            return ()
        middle = len(self.cases) // 2
        return (
            replace(self, name=f"{self.name}a", cases=self.cases[:middle]),
            replace(self, name=f"{self.name}b", cases=self.cases[middle:]),
        )
