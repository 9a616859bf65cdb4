"""Draws what `keras_bench.analyze` decided; decides nothing."""
