from keras_bench.analyze.conclusion import Conclusion
from keras_bench.report.github import annotations


def test_a_regression_alone_is_an_error():
    conclusions = [
        Conclusion("net", "jax", "regressed", "regressed: net on jax"),
        Conclusion("net", "torch", "undecided", "undecided: net on torch"),
        Conclusion("net", "tensorflow", "failed", "failed: net on tensorflow"),
    ]
    assert annotations("keras-bench compare", conclusions) == [
        "::error title=keras-bench compare::regressed: net on jax"
    ]


def test_what_ends_a_command_is_escaped():
    conclusions = [Conclusion("net", "jax", "regressed", "5% slower\r\n::warning::no")]
    assert annotations("it", conclusions) == ["::error title=it::5%25 slower%0D%0A::warning::no"]
