import io
import json
from dataclasses import asdict

from bench.measure.protocol import Problem, Request, read_request, write_reply, write_request


def test_a_request_arrives_as_it_was_sent():
    request = Request("models/größe.py", "jax", seed=3, epochs=None, time_limit_seconds=1.5)
    stream = io.StringIO()
    write_request(stream, request)
    stream.seek(0)
    assert read_request(stream) == request


def test_every_reply_is_one_line_whatever_its_text():
    stream = io.StringIO()
    problem = Problem("workload", "two\nlines", "Traceback\n...")
    write_reply(stream, "problem", problem)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line) == {"problem": asdict(problem)}
