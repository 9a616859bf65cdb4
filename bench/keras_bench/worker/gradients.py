"""Functions of tensors and Keras variables, and their gradients, by each backend's own means."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

Function = Callable[..., list[Any]]


class Gradients(ABC):
    """Differentiates functions that use the variables of one model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def outputs(
        self, name: str, function: Callable[..., tuple[list[Any], Any]], inputs: Sequence[Any]
    ) -> tuple[list[Any], Any]:
        """Return the tensors that a function of tensors gives, and what it gives beside them.

        `name` stands for the function and the shapes of its inputs. What is beside the tensors may
        be of an earlier call by this name, and variables may stay as they were.
        """
        return function(*inputs)

    @abstractmethod
    def pull_back(
        self,
        name: str,
        function: Function,
        inputs: Sequence[Any],
        fixed: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any] | None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Return a function's outputs, and the gradients by its inputs and by the variables.

        An input or variable that the outputs don't depend on has the gradient None or zero.

        Args:
            name: stands for the function: those of one name compute the same.
            function: takes the inputs and then the fixed tensors, and returns tensors.
            inputs: arrays of floating point.
            fixed: further tensors or arrays, by which nothing is differentiated.
            variables: trainable Keras variables of the model.
            cotangents: an array per output, which weighs it; None for 1. Cast to its precision,
                which a layer may have changed.
        """

    @abstractmethod
    def apply(self, gradients: Sequence[Any]) -> None:
        """Let the model's optimizer update the trainable variables by these arrays."""


class TensorflowGradients(Gradients):
    """By a gradient tape."""

    def pull_back(
        self,
        name: str,
        function: Function,
        inputs: Sequence[Any],
        fixed: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any] | None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(each) for each in inputs]
        values = [variable.value for variable in variables]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            outputs = function(*tensors, *map(tf.convert_to_tensor, fixed))
        # What makes whole numbers may have no gradient at all, such as Bucketize.
        smooth = [index for index, output in enumerate(outputs) if output.dtype.is_floating]
        weights = None
        if cotangents is not None:
            weights = [tf.cast(cotangents[index], outputs[index].dtype) for index in smooth]
        sources = [*tensors, *values]
        found: list[Any] = [None] * len(sources)
        if smooth:
            found = tape.gradient(
                [outputs[index] for index in smooth], sources, output_gradients=weights
            )
        # Those of embeddings come as slices.
        found = [each if each is None else tf.convert_to_tensor(each) for each in found]
        return outputs, found[: len(tensors)], found[len(tensors) :]

    def apply(self, gradients: Sequence[Any]) -> None:
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self._model.optimizer.apply(tensors, self._model.trainable_variables)


class TorchGradients(Gradients):
    """By autograd."""

    def pull_back(
        self,
        name: str,
        function: Function,
        inputs: Sequence[Any],
        fixed: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any] | None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        import torch

        tensors = [torch.tensor(each).requires_grad_() for each in inputs]
        sources = [*tensors, *[variable.value for variable in variables]]
        outputs = function(*tensors, *map(torch.as_tensor, fixed))
        weights = [torch.ones_like(output) for output in outputs]
        if cotangents is not None:
            pairs = zip(cotangents, outputs, strict=True)
            weights = [torch.tensor(each, dtype=output.dtype) for each, output in pairs]
        found: list[Any] = [None] * len(sources)
        smooth = [index for index, output in enumerate(outputs) if output.requires_grad]
        if smooth and sources:
            found = list(
                torch.autograd.grad(
                    [outputs[index] for index in smooth],
                    sources,
                    grad_outputs=[weights[index] for index in smooth],
                    allow_unused=True,
                )
            )
        return outputs, found[: len(tensors)], found[len(tensors) :]

    def apply(self, gradients: Sequence[Any]) -> None:
        import torch

        tensors = [torch.tensor(gradient) for gradient in gradients]
        with torch.no_grad():
            self._model.optimizer.apply(tensors, self._model.trainable_variables)


class JaxGradients(Gradients):
    """By vector-Jacobian products.

    Compiled as a whole, once for each name: operation by operation it takes seconds.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        #: Compiled programs, each with the variables that it is given besides.
        self._programs: dict[str, tuple[Any, list[Any]]] = {}
        #: What the function of a program gave beside its tensors.
        self._beside: dict[str, Any] = {}

    def outputs(
        self, name: str, function: Callable[..., tuple[list[Any], Any]], inputs: Sequence[Any]
    ) -> tuple[list[Any], Any]:
        import jax
        import keras

        others = self._variables()

        def program(tensors: Any, rest: Any) -> Any:
            mapping = list(zip(others, rest, strict=True))
            with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
                found, self._beside[name] = function(*tensors)
            return found

        compiled, others = self._programs.setdefault(name, (jax.jit(program), others))
        found = compiled(list(inputs), [variable.value for variable in others])
        return found, self._beside[name]

    def pull_back(
        self,
        name: str,
        function: Function,
        inputs: Sequence[Any],
        fixed: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any] | None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        import jax
        import jax.numpy as jnp
        import keras

        sought = {id(variable) for variable in variables}
        others = [each for each in self._variables() if id(each) not in sought]

        def program(tensors: Any, values: Any, fixed: Any, rest: Any, weights: Any) -> Any:
            def pure(tensors: Any, values: Any) -> Any:
                mapping = [*zip(variables, values, strict=True), *zip(others, rest, strict=True)]
                with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
                    return function(*tensors, *fixed)

            outputs, vjp = jax.vjp(pure, tensors, values)
            if weights is None:
                return outputs, *vjp([jnp.ones_like(output) for output in outputs])
            pairs = zip(weights, outputs, strict=True)
            return outputs, *vjp([weight.astype(output.dtype) for weight, output in pairs])

        # There may be more metrics later, which the program knows nothing of.
        compiled, others = self._programs.setdefault(name, (jax.jit(program), others))
        outputs, by_inputs, by_variables = compiled(
            list(inputs),
            [variable.value for variable in variables],
            list(fixed),
            [variable.value for variable in others],
            None if cotangents is None else list(cotangents),
        )
        return outputs, by_inputs, by_variables

    def _variables(self) -> list[Any]:
        # Losses of several outputs are metrics, too, which computing them updates.
        known = (*self._model.variables, *self._model.metrics_variables)
        return list({id(each): each for each in known}.values())

    def apply(self, gradients: Sequence[Any]) -> None:
        import jax

        optimizer, weights = self._model.optimizer, self._model.trainable_variables
        compiled, _ = self._programs.setdefault("apply", (jax.jit(optimizer.stateless_apply), []))
        values, state = compiled(
            [variable.value for variable in optimizer.variables],
            list(gradients),
            [weight.value for weight in weights],
        )
        for variable, value in zip(
            [*weights, *optimizer.variables], [*values, *state], strict=True
        ):
            variable.assign(value)


GRADIENTS: dict[str, Callable[[Any], Gradients]] = {
    "tensorflow": TensorflowGradients,
    "torch": TorchGradients,
    "jax": JaxGradients,
}
