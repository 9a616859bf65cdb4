"""A package index on loopback, whose wheels are written as they are asked for by a test."""

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: Nothing of the user's pip or uv but this index.
ALONE = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
}


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    code: str = "",
    needs: tuple[str, ...] = (),
    tag: str = "py3-none-any",
) -> None:
    """Write a wheel of one module into the folder of an index."""
    module = name.replace("-", "_")
    file = folder / name / f"{module}-{version}-{tag}.whl"
    file.parent.mkdir(parents=True, exist_ok=True)
    about = f"{module}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {each}" for each in needs]
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", code)
        wheel.writestr(f"{about}/METADATA", "\n".join(metadata) + "\n")
        wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(f"{about}/RECORD", "")


class Index(SimpleHTTPRequestHandler):
    """Serves a folder of wheels, a folder each, until it is told to refuse or to keep silent."""

    refuses_with: int | None = None
    silent: threading.Event | None = None

    def do_GET(self) -> None:
        if self.silent is not None:
            type(self).silent.set()
            self.rfile.read()  # Until the other side gives up.
        elif self.refuses_with is not None:
            self.send_error(self.refuses_with)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def package_index(folder: Path) -> Iterator[tuple[type[Index], str]]:
    """Serve a folder; give what can be told to refuse, and the address for pip."""

    class Handler(Index):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
