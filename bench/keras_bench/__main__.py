"""`python -m keras_bench` is the `keras-bench` command."""

from keras_bench.cli import main

main()
