import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from parity_builders import (
    BIAS,
    KERNEL,
    LAST_BIAS,
    LAST_KERNEL,
    SQUARED,
    adam,
    blueprint,
    first_step,
    loss,
    sgd,
    training,
)

from keras_bench.parity.arithmetic import Arithmetic, RandomRounding
from keras_bench.parity.network import Layer, Loss, covered
from keras_bench.parity.places import (
    BEFORE,
    EPOCH_END,
    EPOCH_LOSS,
    FORWARD,
    GRADIENT,
    INPUT_GRADIENT,
    LAYER_INPUT,
    LOGITS,
    LOSS,
    LOSS_GRADIENT,
    OUTPUT_GRADIENT,
    RUNNING_LOSS,
    STEP,
    THE_LOSS,
    UPDATE,
    WEIGHT_GRADIENT,
    Place,
)
from keras_bench.parity.reference import (
    activate,
    forward,
    loss_and_gradient,
    stages_apart,
    start,
    take_step,
    train,
    update,
)

EXACT = Arithmetic()

#: An activation of the last layer, and a loss that goes with it.
ENDS = [
    ("linear", SQUARED),
    ("relu", SQUARED),
    ("sigmoid", SQUARED),
    ("softmax", SQUARED),
    ("softmax", loss("SparseCategoricalCrossentropy")),
    ("linear", loss("SparseCategoricalCrossentropy", from_logits=True)),
    ("softmax", loss("CategoricalCrossentropy")),
    ("linear", loss("CategoricalCrossentropy", from_logits=True)),
    ("sigmoid", loss("BinaryCrossentropy")),
    ("linear", loss("BinaryCrossentropy", from_logits=True)),
]
OPTIMIZERS = [
    sgd(),
    sgd(momentum=0.9),
    sgd(momentum=0.9, nesterov=True),
    adam(),
]
MODEST = settings(max_examples=80, deadline=None, derandomize=True)


@st.composite
def networks(draw):
    """Draw a network, its training and its first step, off the kinks and off certainty."""
    last, ending = draw(st.sampled_from(ENDS))
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    hidden = st.sampled_from(["linear", "relu", "sigmoid", "softmax"])
    activations = [*(draw(hidden) for _ in sizes[2:]), last]
    drawn = blueprint(
        sizes,
        activations,
        draw(st.sampled_from(OPTIMIZERS)),
        use_bias=draw(st.booleans()),
        apart=draw(st.booleans()),
        losses=(ending,),
    )
    batch, seed = draw(st.integers(1, 6)), draw(st.integers(0, 10**6))
    network, planned, state, step = first_step(drawn, batch, seed)
    for layer in network.layers:
        _, logits = forward(layer, state, step[LAYER_INPUT, layer.name], EXACT)
        assume(layer.activation != "relu" or np.abs(logits).min() > 1e-3)
        output = step[FORWARD, layer.name]
        # A softmax of one is certain whatever goes in.
        if layer.activation in ("sigmoid", "softmax") and output.shape[-1] > 1:
            assume(output.min() > 0.01)
            assume(output.max() < 0.99)
    return network, planned, state, step


def loss_of(network, weights, x, y):
    value = np.asarray(x, "float64")
    for layer in network.layers:
        value, _ = forward(layer, weights, value, EXACT)
    return float(loss_and_gradient(network.loss, y, value, EXACT)[0].item())


def differences(function, at, width=1e-6):
    """Return the gradient of a function by central differences."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += width
        down[index] -= width
        gradient[index] = (function(up) - function(down)) / (2 * width)
    return gradient


def loss_by_hand(loss, y, outputs):
    """Return a loss example by example, from its definition, without NumPy."""

    def squashed(row):
        if not loss.from_logits:
            return row
        if loss.kind == "binary":
            return [1 / (1 + math.exp(-each)) for each in row]
        return [math.exp(each) / sum(math.exp(other) for other in row) for each in row]

    of_examples = []
    for target, row in zip(y.tolist(), outputs.tolist(), strict=True):
        if loss.kind == "squared error":
            errors = [(each - true) ** 2 for each, true in zip(row, target, strict=True)]
            of_examples.append(sum(errors) / len(errors))
            continue
        chances = squashed(row)
        if loss.kind == "sparse categorical":
            of_examples.append(-math.log(chances[target]))
        elif loss.kind == "categorical":
            pairs = zip(target, chances, strict=True)
            of_examples.append(-sum(true * math.log(chance) for true, chance in pairs))
        else:
            terms = [
                -math.log(chance if true else 1 - chance)
                for true, chance in zip(target, chances, strict=True)
            ]
            of_examples.append(sum(terms) / len(terms))
    return sum(of_examples) / len(of_examples)


@MODEST
@given(networks())
def test_the_gradient_by_every_weight_is_that_of_finite_differences(drawn):
    network, planned, state, step = drawn
    for path in network.weights:
        expected = differences(
            lambda value, path=path: loss_of(network, state | {path: value}, planned.x, planned.y),
            state[path],
        )
        assert step[WEIGHT_GRADIENT, path] == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert np.array_equal(step[GRADIENT, path], step[WEIGHT_GRADIENT, path])


@MODEST
@given(networks())
def test_the_gradients_by_inputs_outputs_and_logits_are_those_of_finite_differences(drawn):
    network, planned, state, step = drawn

    def rest_of_the_model(index, given_as_output):
        def function(value):
            for position, layer in enumerate(network.layers):
                if position > index or (position == index and not given_as_output):
                    value, _ = forward(layer, state, value, EXACT)
            return float(loss_and_gradient(network.loss, planned.y, value, EXACT)[0].item())

        return function

    for index, layer in enumerate(network.layers):
        by_input = differences(rest_of_the_model(index, False), step[LAYER_INPUT, layer.name])
        by_output = differences(rest_of_the_model(index, True), step[FORWARD, layer.name])
        assert step[INPUT_GRADIENT, layer.name] == pytest.approx(by_input, rel=1e-5, abs=1e-7)
        assert step[OUTPUT_GRADIENT, layer.name] == pytest.approx(by_output, rel=1e-5, abs=1e-7)
    last = network.layers[-1].activation
    by_logits = differences(
        lambda value: float(
            loss_and_gradient(network.loss, planned.y, activate(last, value, EXACT), EXACT)[
                0
            ].item()
        ),
        step[LOGITS, THE_LOSS],
    )
    assert step[LOSS_GRADIENT, THE_LOSS] == pytest.approx(by_logits, rel=1e-5, abs=1e-7)


@MODEST
@given(networks())
def test_the_loss_is_its_definition_taken_example_by_example(drawn):
    network, planned, _, step = drawn
    outputs = step[FORWARD, network.layers[-1].name]
    expected = loss_by_hand(network.loss, planned.y, outputs)
    assert step[LOSS, THE_LOSS].item() == pytest.approx(expected, rel=1e-12)


@MODEST
@given(networks())
def test_the_stages_by_themselves_give_what_the_whole_step_gives(drawn):
    network, planned, _, step = drawn
    apart = stages_apart(network, step, planned.x, planned.y, EXACT)
    stages = (FORWARD, LOSS, LOSS_GRADIENT, INPUT_GRADIENT, WEIGHT_GRADIENT, GRADIENT, UPDATE, STEP)
    assert set(apart) == {key for key in step if key[0] in stages}
    for key in apart:
        assert apart[key] == pytest.approx(step[key], rel=1e-12, abs=1e-15), key


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["sgd", "momentum", "nesterov", "adam"])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    hidden=st.integers(2, 6),
    activation=st.sampled_from(["linear", "relu", "sigmoid", "softmax"]),
    seed=st.integers(0, 10**6),
)
def test_hidden_neurons_in_another_order_learn_the_same(optimizer, hidden, activation, seed):
    drawn = blueprint((3, hidden, 2), (activation, "softmax"), optimizer)
    planned, network = training(drawn, seed=seed), covered(drawn)
    order = np.random.default_rng(seed).permutation(hidden)
    reordered = planned.initial | {
        KERNEL: planned.initial[KERNEL][:, order],
        BIAS: planned.initial[BIAS][order],
        LAST_KERNEL: planned.initial[LAST_KERNEL][order],
    }
    arguments = (planned.x, planned.y, planned.orders, drawn.batch_size, planned.points, EXACT)
    one, other = (train(network, each, *arguments) for each in (planned.initial, reordered))
    losses = [place for place in one if place.subject == THE_LOSS and place.stage != LOSS_GRADIENT]
    losses = [place for place in losses if place.stage in (LOSS, STEP, RUNNING_LOSS, EPOCH_LOSS)]
    assert len(losses) > 8
    for place in losses:
        assert other[place].item() == pytest.approx(one[place].item(), rel=1e-12), place
    assert other[Place(2, 0, EPOCH_END, KERNEL)] == pytest.approx(
        one[Place(2, 0, EPOCH_END, KERNEL)][:, order], rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(
    ("kind", "from_logits", "y", "output", "expected", "gradient"),
    [
        # (1 + 9) / 2 and (0 + 4) / 2, and their mean.
        ("squared error", False, [[1, 0], [2, 5]], [[2, 3], [2, 3]], 3.5, [[0.5, 1.5], [0, -1]]),
        # -(ln 0.5 + ln 0.25) / 2 = 1.5 ln 2; -1 / (2 p) where the target is.
        (
            "sparse categorical", False, [0, 1], [[0.5, 0.5], [0.75, 0.25]],
            1.5 * math.log(2), [[-1, 0], [0, -2]],
        ),
        (
            "categorical", False, [[1, 0], [0, 1]], [[0.5, 0.5], [0.75, 0.25]],
            1.5 * math.log(2), [[-1, 0], [0, -2]],
        ),
        # Targets that aren't certain.
        (
            "categorical", False, [[0.5, 0.5]], [[0.5, 0.25]],
            1.5 * math.log(2), [[-1, -2]],
        ),
        # Equal logits are a softmax of a third each: p - t.
        (
            "sparse categorical", True, [2], [[7, 7, 7]],
            math.log(3), [[1 / 3, 1 / 3, -2 / 3]],
        ),
        # A mean over both outputs: -(ln 0.5 + ln(1 - 0.25)) / 2.
        (
            "binary", False, [[1, 0]], [[0.5, 0.25]],
            (math.log(2) + math.log(4 / 3)) / 2, [[-1, 2 / 3]],
        ),
        # A logit of ln 3 is a probability of 3/4.
        ("binary", True, [[1]], [[math.log(3)]], math.log(4 / 3), [[-0.25]]),
        ("binary", True, [[0]], [[math.log(3)]], math.log(4), [[0.75]]),
    ],
)  # fmt: skip
def test_losses_and_their_gradients_have_the_values_worked_out_by_hand(
    kind, from_logits, y, output, expected, gradient
):
    value, by_output = loss_and_gradient(
        Loss(kind, from_logits), np.array(y), np.array(output, "float64"), EXACT
    )
    assert value.shape == (1, 1)
    assert value.item() == pytest.approx(expected, rel=1e-14)
    assert by_output == pytest.approx(np.array(gradient), rel=1e-13, abs=1e-15)


def test_targets_of_one_axis_are_a_column():
    output = np.array([[1.0], [2.0], [4.0]])
    column, _ = loss_and_gradient(Loss("squared error"), np.array([[0.0], [2], [3]]), output, EXACT)
    row, _ = loss_and_gradient(Loss("squared error"), np.array([0.0, 2, 3]), output, EXACT)
    assert row.item() == column.item() == pytest.approx(2 / 3)


def test_a_probability_of_zero_counts_only_where_it_is_aimed_at():
    output = np.array([[1.0, 0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        value, _ = loss_and_gradient(Loss("sparse categorical"), np.array([0]), output, EXACT)
        wrong, _ = loss_and_gradient(Loss("sparse categorical"), np.array([1]), output, EXACT)
    assert value.item() == 0.0
    assert wrong.item() == np.inf


def test_the_activations_have_the_values_worked_out_by_hand():
    logits = np.array([[-2.0, 0.0, math.log(3)]])
    assert activate("linear", logits, EXACT).tolist() == logits.tolist()
    assert activate("relu", logits, EXACT).tolist() == [[0, 0, math.log(3)]]
    assert activate("sigmoid", logits, EXACT)[0, 1:] == pytest.approx([0.5, 0.75], rel=1e-15)
    assert activate("softmax", logits[:, 1:], EXACT)[0] == pytest.approx([0.25, 0.75], rel=1e-15)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.lists(st.floats(-700, 700), min_size=3, max_size=3), min_size=1, max_size=4),
    shift=st.floats(-100, 100),
)
def test_every_row_of_a_softmax_sums_to_one_wherever_it_lies(rows, shift):
    logits = np.array(rows)
    values = activate("softmax", logits, EXACT)
    assert values.sum(axis=-1) == pytest.approx(np.ones(len(rows)), rel=1e-14)
    assert activate("softmax", logits + shift, EXACT) == pytest.approx(values, rel=1e-9, abs=1e-12)


def test_a_dense_layer_is_the_product_and_the_bias():
    weights = {"k": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([[10.0, -20.0]])}
    x = np.array([[1.0, 1.0], [2.0, 0.0]])
    output, logits = forward(Layer("d", "relu", "k", "b"), weights, x, EXACT)
    assert logits.tolist() == [[14, -14], [12, -16]]
    assert output.tolist() == [[14, 0], [12, 0]]
    assert forward(Layer("d", "linear", "k"), weights, x, EXACT)[0].tolist() == [[4, 6], [2, 4]]
    assert forward(Layer("a", "relu"), weights, -x, EXACT)[0].tolist() == [[0, 0], [0, 0]]


def test_the_first_step_of_adam_is_that_of_its_formula():
    rate, beta_1, beta_2, epsilon = 0.01, 0.8, 0.95, 1e-3
    described = blueprint(optimizer=adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon))
    network, _, state, step = first_step(described)
    for path in network.weights:
        gradient = step[GRADIENT, path]
        first, second = (1 - beta_1) * gradient, (1 - beta_2) * gradient**2
        corrected = rate * math.sqrt(1 - beta_2**1) / (1 - beta_1**1)
        assert step[UPDATE, network.slots["momentum", path]] == pytest.approx(first, rel=1e-13)
        assert step[UPDATE, network.slots["velocity", path]] == pytest.approx(second, rel=1e-13)
        assert step[UPDATE, path] == pytest.approx(
            state[path] - corrected * first / (np.sqrt(second) + epsilon), rel=1e-13
        )
    assert step[UPDATE, network.iterations].item() == 1
    assert step[UPDATE, network.learning_rate].item() == rate


def test_adam_takes_its_first_step_by_about_the_learning_rate_whatever_the_gradient():
    network, _, state, step = first_step(blueprint(optimizer=adam(0.01, epsilon=0.0)))
    for path in network.weights:
        moving = step[GRADIENT, path] != 0
        moved = (state[path] - step[UPDATE, path])[moving]
        assert moving.any()
        assert moved == pytest.approx(0.01 * np.sign(step[GRADIENT, path][moving]), rel=1e-9)


def adam_alone(gradients, value, rate=0.02, beta_1=0.9, beta_2=0.99, epsilon=1e-4):
    """Follow the algorithm 1 of the paper, with its bias-corrected moments, number by number."""
    first = second = 0.0
    for iteration, gradient in enumerate(gradients, start=1):
        first = beta_1 * first + (1 - beta_1) * gradient
        second = beta_2 * second + (1 - beta_2) * gradient * gradient
        # Of the paper's two epsilons, the one that needs scaling is meant here.
        scaled = epsilon / math.sqrt(1 - beta_2**iteration)
        corrected = math.sqrt(second / (1 - beta_2**iteration))
        value -= rate * first / (1 - beta_1**iteration) / (corrected + scaled)
    return value


def sgd_alone(gradients, value, rate=0.02, momentum=0.0, nesterov=False):
    """Follow Sutskever's form, with the velocity in the units of the weight."""
    velocity = 0.0
    for gradient in gradients:
        velocity = momentum * velocity - rate * gradient
        value += momentum * velocity - rate * gradient if nesterov else velocity
    return value


@pytest.mark.parametrize(
    ("optimizer", "alone"),
    [
        (adam(0.02, beta_2=0.99, epsilon=1e-4), adam_alone),
        (sgd(0.02), sgd_alone),
        (sgd(0.02, momentum=0.7), lambda *a: sgd_alone(*a, momentum=0.7)),
        (sgd(0.02, momentum=0.7, nesterov=True), lambda *a: sgd_alone(*a, 0.02, 0.7, True)),
    ],
    ids=["adam", "sgd", "momentum", "nesterov"],
)
def test_several_steps_of_an_optimizer_are_those_of_a_loop_over_single_numbers(optimizer, alone):
    described = blueprint((2, 3), ("linear",), optimizer, losses=(SQUARED,))
    network, _, state, _ = first_step(described)
    random = np.random.default_rng(5)
    given_gradients = [
        {path: random.normal(size=state[path].shape) for path in network.weights} for _ in range(7)
    ]
    after = state
    for gradients in given_gradients:
        after = update(network, after, gradients, EXACT)
    assert after[network.iterations].item() == 7
    for path in network.weights:
        for index in np.ndindex(state[path].shape):
            history = [gradients[path][index] for gradients in given_gradients]
            expected = alone(history, state[path][index])
            assert after[path][index] == pytest.approx(expected, rel=1e-12)


def test_nesterov_and_plain_momentum_part_and_without_momentum_there_is_no_velocity():
    ends = {}
    for name, optimizer in zip(("sgd", "momentum", "nesterov"), OPTIMIZERS[:3], strict=True):
        network, _, _, step = first_step(blueprint(optimizer=optimizer))
        ends[name] = step[UPDATE, KERNEL]
        assert bool(network.slots) == (name != "sgd")
    # From rest, momentum's first step is that of plain descent; Nesterov's looks ahead.
    assert np.array_equal(ends["sgd"], ends["momentum"])
    assert not np.allclose(ends["nesterov"], ends["momentum"])


def test_an_update_leaves_the_state_before_it_alone():
    network, _, state, step = first_step(blueprint(optimizer=adam()))
    kept = {path: array.copy() for path, array in state.items()}
    update(network, state, {path: step[GRADIENT, path] for path in network.weights}, EXACT)
    assert all(np.array_equal(state[path], kept[path]) for path in kept)


def test_a_step_starts_from_what_it_was_given():
    network, _, state, step = first_step(blueprint(optimizer=adam()))
    assert {path for stage, path in step if stage == BEFORE} == set(state)
    assert {path for stage, path in step if stage == UPDATE} == set(state)
    assert all(np.array_equal(step[BEFORE, path], state[path]) for path in state)
    assert not state[network.slots["velocity", KERNEL]].any()


def trained(described, count=13, **options):
    planned = training(described, count, **options)
    seen = train(
        covered(described), planned.initial, planned.x, planned.y, planned.orders,
        described.batch_size, planned.points, EXACT,
    )  # fmt: skip
    return planned, seen


def test_a_training_is_its_steps_one_after_the_other():
    described = blueprint(optimizer=adam())
    planned, seen = trained(described)
    network = covered(described)
    state = start(network, planned.initial, EXACT)
    for epoch in (1, 2):
        total = 0.0
        for step in (1, 2, 3):
            x, y = planned.batch(epoch, step)
            assert len(x) == (5, 5, 3)[step - 1]
            taken = take_step(network, state, x, y, EXACT)
            total += taken[LOSS, THE_LOSS].item() * len(x)
            state = {path: taken[UPDATE, path] for path in state}
        assert seen[Place(epoch, 0, EPOCH_LOSS)].item() == pytest.approx(total / 13, rel=1e-14)
        for path, array in state.items():
            assert np.array_equal(seen[Place(epoch, 0, EPOCH_END, path)], array)
    assert state[network.iterations].item() == 6


def test_the_epochs_loss_is_the_mean_over_examples_and_not_over_batches():
    # With a rate of nothing the weights stay, and every example has its own loss.
    planned, seen = trained(blueprint(optimizer=sgd(0.0)))
    network = covered(planned.blueprint)
    state = start(network, planned.initial, EXACT)
    whole = loss_of(network, state, planned.x, planned.y)
    batches = [planned.batch(1, step) for step in (1, 2, 3)]
    of_batches = [loss_of(network, state, x, y) for x, y in batches]
    epoch_loss = seen[Place(1, 0, EPOCH_LOSS)].item()
    assert epoch_loss == pytest.approx(whole, rel=1e-13)
    assert abs(epoch_loss - np.mean(of_batches)) > 1e-3
    running = [seen[Place(1, step, RUNNING_LOSS)].item() for step in (1, 2, 3)]
    assert running == pytest.approx(
        [of_batches[0], (of_batches[0] + of_batches[1]) / 2, whole], rel=1e-13
    )


def test_only_the_points_are_taken_apart_but_every_epochs_first_running_loss_is_seen():
    described = blueprint(batch_size=2)
    planned = training(described)
    seen = train(
        covered(described), planned.initial, planned.x, planned.y, planned.orders, 2, [(1, 3)],
        EXACT,
    )  # fmt: skip
    assert {(place.epoch, place.step) for place in seen if place.stage == FORWARD} == {(1, 3)}
    running = {(place.epoch, place.step) for place in seen if place.stage == RUNNING_LOSS}
    assert running == {(1, 1), (1, 3), (2, 1)}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["sgd", "momentum", "nesterov", "adam"])
def test_training_on_what_can_be_learned_brings_the_loss_down(optimizer):
    described = blueprint((3, 8, 2), optimizer=optimizer, epochs=60, batch_size=10)
    planned = training(described, 40)
    y = (planned.x.sum(axis=1) > 0).astype("int32")
    planned = replace(planned, data={**planned.data, "y": y})
    seen = train(covered(described), planned.initial, planned.x, y, planned.orders, 10, (), EXACT)
    losses = [seen[Place(epoch, 0, EPOCH_LOSS)].item() for epoch in range(1, 61)]
    assert losses[-1] < 0.3 * losses[0]
    assert losses[-1] < 0.2


def test_integer_inputs_are_numbers_like_others():
    described = blueprint()
    network, planned, state, _ = first_step(described)
    whole = np.rint(planned.x)
    one = take_step(network, state, whole.astype("int64"), planned.y, EXACT)
    other = take_step(network, state, whole, planned.y, EXACT)
    assert np.array_equal(one[UPDATE, LAST_BIAS], other[UPDATE, LAST_BIAS])


@pytest.mark.parametrize("kind", ["sparse categorical", "binary"])
def test_saturated_outputs_have_the_loss_of_their_logits(kind):
    classes = 2 if kind == "sparse categorical" else 1
    logits = np.array([[800.0] * (classes - 1) + [-800.0], [0.0] * classes])
    y = np.array([1, 0])
    value, gradient = loss_and_gradient(Loss(kind, from_logits=True), y, logits, EXACT)
    # Wrong by 1600 (or 800) in the one example, undecided between two in the other.
    wrong = 1600.0 if classes == 2 else 800.0
    assert value.item() == pytest.approx((wrong + np.log(2.0)) / 2, rel=1e-14)
    assert np.isfinite(gradient).all()
    replicas, _ = loss_and_gradient(
        Loss(kind, from_logits=True), y, logits, RandomRounding(2.0**-24, 8)
    )
    assert np.isfinite(replicas).all()


def test_rounding_makes_no_probability_larger_than_one():
    certain = np.array([[1.0, 0.0]])
    random = RandomRounding(2.0**-24, 8)
    value, _ = loss_and_gradient(Loss("binary"), certain, random.rounded(certain), random)
    assert not np.isnan(value).any()
