"""An S3 server on loopback: moto's S3 alone, without its search for the service that each request means."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

HOST = "127.0.0.1"


@contextmanager
def s3_server(seen: list[tuple[str, str]] | None = None) -> Iterator[str]:
    """The URL of a server; it adds the method and the path of every request to `seen`. The buckets are those of the whole process."""

    class Handler(MotoRequestHandler):
        def log(self, *_: object, **__: object) -> None:
            """Say nothing."""

        def run_wsgi(self) -> None:
            if seen is not None:
                seen.append((self.command, self.path))
            super().run_wsgi()

    server = make_server(HOST, 0, create_backend_app("s3"), threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
