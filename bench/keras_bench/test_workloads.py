"""The suite's workloads as tests of pytest-benchmark: `pytest bench/`."""

from keras_bench import benchmark_workloads

test_epoch = benchmark_workloads()
