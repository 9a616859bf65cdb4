"""What a worker answers when it has timed something: what it saw, and the facts of its process."""

from collections.abc import Mapping, Sequence

from keras_bench.records import Sample
from keras_bench.worker.frameworks import pool_threads
from keras_bench.worker.preparing import Prepared
from keras_bench.worker.process_facts import cpus, os_threads, peak_rss_bytes


def sample_of(
    prepared: Prepared,
    backend: str,
    *,
    epoch_seconds: Sequence[float],
    epoch_cpu_seconds: Sequence[float],
    examples: int,
    losses: Sequence[float] = (),
    metrics: Mapping[str, Sequence[float | None]] | None = None,
    calls_per_block: int = 1,
    waiting_callbacks: tuple[str, ...] = (),
    ending_callback: tuple[str, int] | None = None,
    fit_epochs: int | None = None,
) -> Sample:
    """Return a sample of what was timed, to be called when that is over.

    The times are in seconds, and like losses and metrics an entry per epoch or block of calls.
    """
    intra_op_threads, inter_op_threads = pool_threads(backend)
    return Sample(
        import_seconds=prepared.import_seconds,
        build_seconds=prepared.build_seconds,
        epoch_seconds=tuple(epoch_seconds),
        epoch_cpu_seconds=tuple(epoch_cpu_seconds),
        losses=tuple(losses),
        metrics={name: tuple(values) for name, values in (metrics or {}).items()},
        examples=examples,
        peak_rss_bytes=peak_rss_bytes(),
        jit_compile=bool(prepared.model.jit_compile),
        intra_op_threads=intra_op_threads,
        inter_op_threads=inter_op_threads,
        os_threads=os_threads(),
        cpus=cpus(),
        calls_per_block=calls_per_block,
        random_data=prepared.data.random_data,
        waiting_callbacks=waiting_callbacks,
        ending_callback=ending_callback,
        fit_epochs=fit_epochs,
    )
