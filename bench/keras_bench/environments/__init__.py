"""The environments that workers run in: from what a user writes to an interpreter, cached."""
