"""Reads and writes a results directory; decides nothing."""
