"""Runs workers and records what they measured; decides nothing about it."""
