"""Draws what `bench.analyze` decided; decides nothing."""
