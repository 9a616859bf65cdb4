"""The cases of sweep_keras.py, made of the signatures of what Keras exports, and of tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Exports = Mapping[str, Mapping[str, Mapping[str, bool]]]


@dataclass(frozen=True)
class Case:
    """Something that Keras exports, with its arguments.

    `code` is what a reader needs to see of it, and `line` what a workload makes it by. Cases of one
    `template` and `data` go into networks together, but for those of an "optimizer", the only one.
    """

    kind: str
    of: str
    name: str
    code: str
    line: str
    template: str
    data: str
    is_first: bool


#: Arguments without a default.
REQUIRED = {
    "units": "4", "filters": "6", "kernel_size": "3", "pool_size": "2", "output_size": "3",
    "num_heads": "2", "key_dim": "3", "head_dim": "4", "num_query_heads": "4",
    "num_key_value_heads": "2", "cropping": "1", "n": "3", "height": "5",
    "width": "6", "scale": "0.5", "input_dim": "10", "output_dim": "3", "axes": "1",
    "max_value": "1.0",
}  # fmt: skip

#: Arguments of one class, where its defaults don't do.
OWN = {
    "Activation": "'relu'",
    "Bidirectional": "layers.GRU(4)",
    "CategoryEncoding": "num_tokens=10",
    "ContrastLimitedAdaptiveHistogramEqualization": "tile_grid_size=(2, 2)",
    "Discretization": "bin_boundaries=[-1.0, 0.0, 0.5, 2.0]",
    "EinsumDense": "'abc,cd->abd', output_shape=(8, 4), bias_axes='d'",
    "GroupNormalization": "groups=3",
    "Lambda": "lambda x: x * x",
    "MelSpectrogram": "fft_length=16, sequence_stride=8, num_mel_bins=6, sampling_rate=1000",
    "Normalization": "mean=[0.5, 1.0, -1.0], variance=[1.0, 0.25, 4.0]",
    "Permute": "(2, 1)",
    "Pipeline": "[layers.Rescaling(0.5), layers.Rescaling(2.0, offset=1.0)]",
    "Reshape": "(-1, 2)",
    "RNN": "layers.LSTMCell(4)",
    "SpectralNormalization": "layers.Dense(4)",
    "TimeDistributed": "layers.Dense(4)",
    "LossScaleOptimizer": "optimizers.Adam(0.01), initial_scale=8.0",
    "MultiOptimizer": (
        "optimizers.OptimizerMap(optimizers.SGD(), {'out/kernel': optimizers.Adam()})"
    ),
}

#: What else a layer is given: each argument that it has takes each of these values.
OPTIONS = {
    "padding": ["'same'"],
    "strides": ["2", "2, padding='same'", "3, padding='same'"],
    "data_format": ["'channels_first'"],
    "dilation_rate": ["2", "2, padding='same'"],
    "output_padding": ["1, strides=2, padding='same'"],
    "groups": ["3"],
    "depth_multiplier": ["2"],
    "use_bias": ["False"],
    "keepdims": ["True"],
    "return_sequences": ["True"],
    "go_backwards": ["True"],
    "unroll": ["True"],
    "reset_after": ["False"],
    "unit_forget_bias": ["False"],
    "merge_mode": ["'mul'", "'ave'"],
    "interpolation": ["'nearest'", "'bilinear'", "'bicubic'", "'lanczos3'", "'lanczos5'"],
    "antialias": ["True"],
    "crop_to_aspect_ratio": ["True"],
    "pad_to_aspect_ratio": ["True"],
    "axis": ["1"],
    "center": ["False"],
    "renorm": ["True"],
    "normalize": ["True"],
    "use_scale": ["True"],
    "score_mode": ["'concat'"],
    "use_gate": ["True"],
    "sliding_window": ["2"],
    "output_mode": ["'one_hot'", "'multi_hot'", "'count'"],
    "invert": ["True"],
    "power_to_db": ["False"],
    "threshold": ["0.5, negative_slope=0.3, max_value=2.0"],
    "alpha": ["0.3"],
    "shared_axes": ["[1]"],
    "mask_zero": ["True"],
}

#: Of these classes an argument means something else.
NOT_OPTIONS = {
    ("ZeroPadding1D", "padding"), ("ZeroPadding2D", "padding"), ("ZeroPadding3D", "padding"),
    ("Normalization", "axis"), ("GroupNormalization", "axis"),
    ("SparseCategoricalCrossentropy", "axis"), ("CategoryEncoding", "sparse"),
}  # fmt: skip

#: These are compared without options: each takes as long as some ten other layers.
SLOW = "ConvLSTM2D ConvLSTM3D"

#: The data of layers; the others go by the end of their names, or take rows of numbers.
DATA = {
    "sequence": (
        "AdditiveAttention Attention Bidirectional EinsumDense GRU GroupQueryAttention"
        " LSTM LayerNormalization BatchNormalization Masking MultiHeadAttention"
        " Normalization Permute RNN Reshape SimpleRNN TimeDistributed Dot Softmax"
        " Concatenate GroupNormalization"
    ),
    "image": "ConvLSTM1D PReLU Flatten RMSNormalization UnitNormalization",
    "volume": "ConvLSTM2D",
    "movie": "ConvLSTM3D",
    "pixels": (
        "AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization Equalization"
        " Resizing Rescaling"
    ),
    "tokens": "CategoryEncoding Embedding ReversibleEmbedding",
    "signal": "MelSpectrogram",
}
BY_AXES = {"1D": "sequence", "2D": "image", "3D": "volume"}

#: How a layer is called that takes more than one tensor.
CALLS = {
    "(x, z)": "MultiHeadAttention GroupQueryAttention",
    "([x, z])": (
        "Add AdditiveAttention Attention Average Concatenate Dot Maximum Minimum Multiply Subtract"
    ),
}

#: Cases that no signature tells of: masks, and gradients at ties.
MORE_LAYERS = {
    "sequence": [
        "layers.Conv1D(6, 3, padding='causal', name=NAME)(x)",
        "layers.Conv1D(6, 2, padding='causal', dilation_rate=2, name=NAME)(x)",
        "layers.Conv1DTranspose(6, 2, strides=3, padding='same', name=NAME)(x)",
        "layers.LayerNormalization(axis=(1, 2), name=NAME)(x)",
        "layers.AveragePooling1D(3, strides=2, padding='same', name=NAME)(x)",
        "layers.LSTM(4, name=NAME)(layers.Masking()(x))",
        "layers.GRU(4, name=NAME)(layers.Masking()(x))",
        "layers.GRU(4, reset_after=False, name=NAME)(layers.Masking()(x))",
        "layers.SimpleRNN(4, name=NAME)(layers.Masking()(x))",
        "layers.Bidirectional(layers.LSTM(4), name=NAME)(layers.Masking()(x))",
        "layers.GlobalAveragePooling1D(name=NAME)(layers.Masking()(x))",
        "layers.BatchNormalization(name=NAME)(layers.Masking()(x))",
        "layers.MultiHeadAttention(2, 3, name=NAME)(x, z, use_causal_mask=True)",
        "layers.Attention(name=NAME)([x, z], use_causal_mask=True)",
        "layers.RNN(layers.SimpleRNNCell(4), name=NAME)(x)",
        "layers.RNN(layers.GRUCell(4), name=NAME)(x)",
        "layers.RNN(layers.StackedRNNCells([layers.GRUCell(4), layers.LSTMCell(3)]), name=NAME)(x)",
    ],
    "image": [
        "layers.Conv2D(6, 2, strides=3, padding='same', name=NAME)(x)",
        "layers.Conv2DTranspose(6, 2, strides=3, padding='same', name=NAME)(x)",
        "layers.Conv2DTranspose(6, (2, 3), strides=(3, 2), name=NAME)(x)",
        "layers.DepthwiseConv2D(4, strides=3, padding='same', name=NAME)(x)",
        "layers.AveragePooling2D(3, strides=2, padding='same', name=NAME)(x)",
        "layers.MaxPooling2D(3, strides=2, padding='same', name=NAME)(x)",
        "layers.UnitNormalization(axis=(1, 2), name=NAME)(x)",
    ],
    "tokens": [
        "layers.GlobalAveragePooling1D(name=NAME)(layers.Embedding(10, 3, mask_zero=True)(x))",
        "layers.GRU(4, name=NAME)(layers.Embedding(10, 3, mask_zero=True)(x))",
    ],
}

#: Activations that take arguments.
ACTIVATIONS = {"threshold": "lambda x: keras.activations.threshold(x, 0.5, -1.0)"}

#: The activation of what a loss is given, and the kind of its targets: "linear any" is the rule.
ENDS = {
    "BinaryCrossentropy": "sigmoid bits", "BinaryFocalCrossentropy": "sigmoid bits",
    "CategoricalCrossentropy": "softmax one_hot", "CategoricalHinge": "linear one_hot",
    "CategoricalFocalCrossentropy": "softmax one_hot",
    "CategoricalGeneralizedCrossEntropy": "softmax number",
    "Circle": "linear number", "CTC": "linear labels", "Dice": "sigmoid bits",
    "Hinge": "linear signs", "KLDivergence": "softmax one_hot", "Poisson": "exponential any",
    "MeanSquaredLogarithmicError": "softplus positive",
    "SparseCategoricalCrossentropy": "softmax number", "SquaredHinge": "linear signs",
    "Tversky": "sigmoid bits",
}  # fmt: skip
LOSS_OPTIONS = {
    "from_logits": ["True"],
    "label_smoothing": ["0.2"],
    "apply_class_balancing": ["True"],
    "delta": ["0.3"],
    "ignore_class": ["1"],
    "reduction": ["'sum'", "'mean_with_sample_weight'"],
    "axis": ["0"],
    "remove_diagonal": ["False"],
}
#: A reduction is the same for every loss.
REDUCED = ("MeanSquaredError", "CategoricalCrossentropy")

OPTIMIZER_OPTIONS = {
    "momentum": ["0.9"],
    "nesterov": ["True, momentum=0.9"],
    "amsgrad": ["True"],
    "centered": ["True"],
    "relative_step": ["False"],
    "l1_regularization_strength": ["0.1, l2_regularization_strength=0.1"],
    "l2_shrinkage_regularization_strength": ["0.1"],
    "warmup_steps": ["2"],
}
#: What every optimizer has, tried with two of them.
OF_EVERY_OPTIMIZER = {
    "weight_decay": ["0.1"],
    "clipnorm": ["0.01"],
    "clipvalue": ["0.001"],
    "global_clipnorm": ["0.01"],
    "use_ema": ["True, ema_overwrite_frequency=2"],
    "gradient_accumulation_steps": ["2"],
    "loss_scale_factor": ["8.0"],
    "learning_rate": [
        "keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)",
        "keras.optimizers.schedules.CosineDecay(0.01, 5, warmup_target=0.02, warmup_steps=2)",
        "keras.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.01, 0.02, 0.005])",
    ],
}
WITH_EVERYTHING = ("SGD", "Adam")

#: What is left out, and why.
LEFT_OUT = {
    "TFSMLayer JaxLayer FlaxLayer TorchModuleWrapper": "is of one backend alone",
    "StringLookup TextVectorization": "takes text",
    "InputLayer InputSpec Layer Wrapper Loss Optimizer Regularizer Constraint": (
        "does nothing by itself"
    ),
    "MaxNumBoundingBoxes": "takes boxes",
    "Hashing HashedCrossing IntegerLookup": "needs TensorFlow on every backend",
    "STFTSpectrogram": "needs SciPy",
    "GRUCell LSTMCell SimpleRNNCell StackedRNNCells": "is swept inside of RNN",
    "OptimizerMap": "is swept inside of MultiOptimizer",
}  # fmt: skip
RANDOM = "draws random numbers, which parity switches off"
ALSO_RANDOM = "AugMix CutMix MixUp RandAugment"


def cases_of(exports: Exports) -> list[Case]:
    """Return the cases of everything that is exported, but for what is left out."""
    made = [
        _layers(exports),
        _activations(exports),
        _weights(exports),
        _losses(exports),
        _optimizers(exports),
    ]
    cases: list[Case] = []
    for kind, of, code, line, template, data in (each for several in made for each in several):
        # A layer and an activation may differ in capitals alone.
        name = f"{of.lower()}_{sum(case.of.lower() == of.lower() for case in cases) + 1}"
        shown = code.replace(", name=NAME", "").replace("name=NAME", "")
        line = line.replace("NAME", repr(name))
        is_first = not any((case.kind, case.of) == (kind, of) for case in cases)
        cases.append(Case(kind, of, name, shown, line, template, data, is_first))
    return cases


def left_out(exports: Exports) -> dict[str, str]:
    """Return why each of those is left out that are."""
    return {
        of: reason
        for kind in exports
        for of, arguments in exports[kind].items()
        if (reason := why_left_out(of, arguments))
    }


def why_left_out(of: str, arguments: Mapping[str, bool]) -> str:
    """Return why something isn't swept, nothing where it is."""
    for names, reason in LEFT_OUT.items():
        if of in names.split():
            return reason
    draws = "seed" in arguments and not {"dropout", "cell"} & set(arguments)
    return RANDOM if draws or of in ALSO_RANDOM.split() else ""


Made = Iterator[tuple[str, str, str, str, str, str]]


def _layers(exports: Exports) -> Made:
    for of, arguments in exports["layers"].items():
        if why_left_out(of, arguments):
            continue
        options = {} if of in SLOW.split() else OPTIONS
        for given in _arguments(of, arguments, options):
            code = f"layers.{of}({', '.join([*given, 'name=NAME'])}){_call(of)}"
            yield _layer("layers", of, code, _data(of))
    for data, codes in MORE_LAYERS.items():
        for code in codes:
            yield _layer("layers", code.partition("(")[0].removeprefix("layers."), code, data)


def _activations(exports: Exports) -> Made:
    for of in exports["activations"]:
        if of not in ("deserialize", "get", "serialize"):
            made = ACTIVATIONS.get(of, repr(of))
            yield _layer("activations", of, f"layers.Activation({made}, name=NAME)(x)", "vector")


def _weights(exports: Exports) -> Made:
    for kind in ("regularizers", "constraints"):
        for of, arguments in exports[kind].items():
            if why_left_out(of, arguments):
                continue
            made = f"keras.{kind}.{of}({', '.join(next(_arguments(of, arguments, {})))})"
            places = ["kernel"] if kind == "constraints" else ["kernel", "activity"]
            for place in places:
                code = f"layers.Dense(4, {place}_{kind[:-1]}={made}, name=NAME)(x)"
                yield _layer(kind, of, code, "vector")


def _layer(kind: str, of: str, code: str, data: str) -> tuple[str, str, str, str, str, str]:
    template = data if data in ("pixels", "tokens") else "layers"
    return kind, of, code, f"lambda x, z: {code}", template, data


def _losses(exports: Exports) -> Made:
    for of, arguments in exports["losses"].items():
        if why_left_out(of, arguments):
            continue
        options = {
            name: values
            for name, values in LOSS_OPTIONS.items()
            if name != "reduction" or of in REDUCED
        }
        for given in _arguments(of, arguments, options):
            activation, targets = ENDS.get(of, "linear any").split()
            activation = "linear" if "from_logits=True" in given else activation
            code = f"losses.{of}({', '.join(given)})"
            yield "losses", of, code, f"({activation!r}, {targets!r}, {code})", "losses", "losses"


def _optimizers(exports: Exports) -> Made:
    def made(given: Sequence[str], data: str) -> tuple[str, str, str, str, str, str]:
        has_rate = of in OWN or any("learning_rate" in each for each in given)
        rate = [] if has_rate else ["learning_rate=0.01"]
        code = f"optimizers.{of}({', '.join([*rate, *given])})"
        return "optimizers", of, code, f"lambda: {code}", "optimizers", data

    for of, arguments in exports["optimizers"].items():
        if why_left_out(of, arguments):
            continue
        default, *others = _arguments(of, arguments, OPTIMIZER_OPTIONS)
        yield made(default, "optimizer" if of in OWN else "optimizers")
        for given in others:
            yield made(given, "optimizers")
        if of in WITH_EVERYTHING:
            for given in list(_arguments(of, arguments, OF_EVERY_OPTIMIZER))[1:]:
                yield made(given, "optimizer")


def _arguments(
    of: str, arguments: Mapping[str, bool], options: Mapping[str, Sequence[str]]
) -> Iterator[list[str]]:
    """Yield the arguments that must be given, then those with each option besides."""
    own = OWN.get(of)
    if own is None:
        needed = {
            name: REQUIRED[name] for name, has_default in arguments.items() if not has_default
        }
    else:
        needed = {}
    first = [own] if own else []
    yield first + [f"{name}={value}" for name, value in needed.items()]
    for name, values in options.items():
        if name not in arguments or (of, name) in NOT_OPTIONS:
            continue
        for value in values:
            # An option may bring others along, which take the place of those that are needed.
            others = {key: each for key, each in needed.items() if f"{key}=" not in value}
            if f"{name}=" not in (own or "") and name not in needed:
                yield (
                    first + [f"{key}={each}" for key, each in others.items()] + [f"{name}={value}"]
                )


def _data(of: str) -> str:
    known = (data for data, names in DATA.items() if of in names.split())
    by_axes = (data for axes, data in BY_AXES.items() if axes in of)
    return next(known, next(by_axes, "vector"))


def _call(of: str) -> str:
    return next((call for call, names in CALLS.items() if of in names.split()), "(x)")
