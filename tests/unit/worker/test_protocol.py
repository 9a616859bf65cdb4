import io
import json
from dataclasses import asdict

from keras_bench.worker.protocol import (
    Problem,
    TimingRequest,
    Workload,
    decode_request,
    encode_request,
    write_reply,
)


def test_a_request_arrives_as_it_was_sent():
    request = TimingRequest(
        workload=Workload("größe(a=1)", "models/größe.py", "models", parameters=(("a", 1),)),
        backend="jax",
        seed=3,
        added_cpu_seconds=1.5,
    )
    line = encode_request(request)
    assert "\n" not in line
    assert decode_request(line) == request


def test_every_reply_is_one_line_whatever_its_text():
    stream = io.StringIO()
    problem = Problem("workload", "two\nlines", "Traceback\n...")
    write_reply(stream, "problem", problem)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line) == {"problem": asdict(problem)}
