"""The parts of a workload, taken as a worker takes them; a stand-in for Keras tells `fit` apart."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_bench.worker.protocol import Refusal, Workload
from keras_bench.worker.workload import load_workload

TEXT = """
FIT = {"batch_size": 10, "epochs": 3}
FIT_WIDE = {"batch_size": 5}


def build(units=4, batch_size=None):
    return "built", units, batch_size


def build_wide(units=400):
    return "wide", units


def build_deep(layers=9):
    return "deep", layers


def data(seed, examples=20):
    return "data", seed, examples


def data_wide(seed):
    return "wide data", seed
"""


class Model:
    def fit(self, x, y, batch_size=None, epochs=1, verbose="auto", callbacks=None): ...


@pytest.fixture
def load(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(Model=Model))
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def load(builder="build", *, text=TEXT, stem="mine_of_parts", **parameters):
        file = tmp_path / f"{stem}.py"
        file.write_text(text)
        workload = Workload(
            "mine", str(file), str(tmp_path), builder, tuple(parameters.items())
        )  # fmt: skip
        return load_workload(workload)

    yield load
    sys.modules.pop("mine_of_parts", None)


def test_without_parameters_all_is_as_the_file_says(load):
    parts = load()
    assert (parts.build(), parts.data(7)) == (("built", 4, None), ("data", 7, 20))
    assert parts.fit == {"batch_size": 10, "epochs": 3}


def test_a_parameter_goes_to_every_part_that_takes_it(load):
    parts = load(units=8, batch_size=2, examples=6)
    assert (parts.build(), parts.data(7)) == (("built", 8, 2), ("data", 7, 6))
    assert parts.fit == {"batch_size": 2, "epochs": 3}


def test_a_function_of_its_own_may_have_data_and_fit_settings_of_its_own(load):
    parts = load("build_wide")
    assert (parts.build(), parts.data(7)) == (("wide", 400), ("wide data", 7))
    assert parts.fit == {"batch_size": 5}


def test_without_them_it_has_those_of_the_file(load):
    parts = load("build_deep", layers=2)
    assert (parts.build(), parts.data(7)) == (("deep", 2), ("data", 7, 20))
    assert parts.fit == {"batch_size": 10, "epochs": 3}


@pytest.mark.parametrize("name", ["colour", "self"])
def test_a_parameter_that_nothing_takes_is_refused(load, name: str):
    with pytest.raises(Refusal, match=f"has no parameter '{name}'"):
        load(**{name: 1})


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"verbose": 2}, "sets 'verbose', which the suite sets itself"),
        ({"callbacks": "none"}, "sets 'callbacks', which stands in FIT alone"),
        ({"x": 1}, r"sets 'x', which comes from data\(\)"),
        ({"epochs": 0}, "epochs=0 instead of a whole number"),
        ({"epochs": "many"}, "epochs='many' instead of a whole number"),
    ],
)
def test_a_fit_setting_that_cannot_be_is_refused(load, parameters, reason: str):
    with pytest.raises(Refusal, match=reason):
        load(**parameters)


@pytest.mark.parametrize(
    ("source", "name", "value"),
    [("--set", "verbose", 2), ("--set", "epochs", 0), ("FIT_WIDE", "x", 2)],
)
def test_what_is_refused_names_where_it_was_set(load, source: str, name: str, value: int):
    text = TEXT.replace('{"batch_size": 5}', repr({name: value})) if source != "--set" else TEXT
    given = {name: value} if source == "--set" else {}
    with pytest.raises(Refusal, match=rf"^{source} (sets '{name}'|has {name}={value})"):
        load("build_wide", text=text, **given)


@pytest.mark.parametrize(("builder", "name"), [("build", "FIT"), ("build_wide", "FIT_WIDE")])
def test_fit_settings_that_are_no_dict_are_named(load, builder: str, name: str):
    with pytest.raises(Refusal, match=rf"^{name} is a list instead of a dict"):
        load(builder, text=TEXT + f"\n{name} = [5]")


def test_fit_may_be_a_function_whose_arguments_are_parameters_too(load):
    text = TEXT + "\ndef FIT_WIDE(batch_size=5, rest=1): return {'epochs': batch_size + rest}"
    assert load("build_wide", text=text).fit == {"epochs": 6}
    assert load("build_wide", text=text, rest=3).fit == {"epochs": 8}
    assert load("build_wide", text=text, batch_size=7).fit == {"epochs": 8, "batch_size": 7}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return [5]", r"^FIT_WIDE\(\) is a list instead of a dict"),
        ("return {'x': 5}", r"^FIT_WIDE\(\) sets 'x', which comes from data\(\)"),
        ("raise KeyError('patience')", r"^FIT_WIDE\(\) raises KeyError: 'patience'"),
    ],
)
def test_a_fault_of_a_function_of_fit_settings_names_it(load, body: str, reason: str):
    with pytest.raises(Refusal, match=reason):
        load("build_wide", text=TEXT + f"\ndef FIT_WIDE(): {body}")


def test_the_seed_is_not_set_like_other_arguments(load):
    with pytest.raises(Refusal, match="--set sets 'seed', which is the seed") as caught:
        load(seed=1)
    assert caught.value.remedy == "use --seed instead"
    with pytest.raises(Refusal, match="--set sets 'start', which is the seed"):
        load(text=TEXT.replace("seed", "start"), start=1)
    without_data = "def build(units=4): ..."
    with pytest.raises(Refusal, match="which is the seed"):
        load(text=without_data, seed=1)
    assert load(text="def build(seed=4): return seed", seed=1).build() == 1


def test_data_that_take_no_seed_are_refused_when_they_are_made(load):
    assert load(text=TEXT + "\ndef data(): ...").data is not None


@pytest.mark.parametrize("stem", ["keras", "json", "sys"])
def test_a_file_that_would_replace_a_module_is_refused(load, stem: str):
    before = sys.modules[stem]
    with pytest.raises(Refusal, match=f"bears the name of the module {stem}, "):
        load(stem=stem)
    assert sys.modules[stem] is before


def test_a_file_may_be_loaded_twice(load):
    assert load().build() == load().build()


def test_a_function_that_is_missing_is_named(load):
    with pytest.raises(Refusal, match=r"has no function build_huge\(\)"):
        load("build_huge")


def test_a_module_is_found_from_its_folder(load, tmp_path: Path):
    package = tmp_path / "package_of_parts"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "networks.py").write_text(TEXT)
    name = "package_of_parts.networks"
    parts = load_workload(Workload(f"{name}:build_wide", name, str(tmp_path), "build_wide"))
    assert parts.build() == ("wide", 400)


def test_a_module_that_is_not_there_is_named(load, tmp_path: Path):
    with pytest.raises(Refusal, match=r"breaks at import with ModuleNotFoundError: .*not_there"):
        load_workload(Workload("not_there:build", "not_there", str(tmp_path)))
