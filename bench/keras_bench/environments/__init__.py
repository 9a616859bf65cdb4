"""The environments that workers run in."""
