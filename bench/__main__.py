"""`python -m bench` is the `keras-bench` command."""

from bench.cli import main

main()
