"""Makes environments without installing anything: each is a fake interpreter."""

from pathlib import Path

from fake_worker import write_fake_interpreter

from keras_bench.environments.makers import CannotMake, python_of
from keras_bench.environments.recipes import Recipe


class FakeMaker:
    """Makes an environment whose worker behaves as told; `made` lists what was asked for.

    One whose requirements name "impossible" can't be made.
    """

    stacks = True

    def __init__(self, behaviour: str = "sample()") -> None:
        self.behaviour = behaviour
        self.made: list[Recipe] = []

    def make(self, recipe: Recipe, folder: Path, log: Path) -> None:
        if any("impossible" in requirement for requirement in recipe.requirements):
            raise CannotMake("no matching distribution found for impossible")
        python_of(folder).parent.mkdir(parents=True)
        write_fake_interpreter(python_of(folder), self.behaviour)
        self.made.append(recipe)

    def make_on(self, base: Path, recipe: Recipe, folder: Path, log: Path) -> bool:
        self.make(recipe, folder, log)
        return True
