"""The suite's workloads as tests of pytest-benchmark: `pytest bench/`."""

from bench.pytest_plugin import benchmark_workloads

test_epoch = benchmark_workloads()
