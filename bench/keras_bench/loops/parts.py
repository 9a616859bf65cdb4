"""How an epoch is cut into calls: runs of full batches that fit into memory, and a short last one.

Pure functions of sizes; the arrays themselves are cut in `epochs`.
"""

from dataclasses import dataclass

#: How much of an epoch's batches may be copied for one call.
MEMORY_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Part:
    """So many steps of so many examples each, from this example of the epoch's order on."""

    start: int
    steps: int
    batch_size: int

    @property
    def stop(self) -> int:
        """The example after its last."""
        return self.start + self.steps * self.batch_size


def parts_of_epoch(
    examples: int, batch_size: int, bytes_per_example: int, memory_bytes: int = MEMORY_BYTES
) -> tuple[Part, ...]:
    """Return the calls of an epoch, in order: each example is in one of them, once.

    None takes more than `memory_bytes`, but for a single batch that does by itself. All calls of
    full batches are about alike in length.
    """
    full, rest = divmod(examples, batch_size)
    bytes_per_step = max(1, batch_size * bytes_per_example)
    most = max(1, memory_bytes // bytes_per_step)
    calls = -(-full // most)
    parts, start = [], 0
    for call in range(calls):
        steps = full // calls + (call < full % calls)
        parts.append(Part(start, steps, batch_size))
        start = parts[-1].stop
    if rest:
        parts.append(Part(start, 1, rest))
    return tuple(parts)
