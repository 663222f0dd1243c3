"""An S3 server on loopback: moto's S3 alone, without its search for the service that each request means."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

HOST = "127.0.0.1"


class _Quiet(MotoRequestHandler):
    def log(self, *_: object, **__: object) -> None:
        """Say nothing of requests."""


@contextmanager
def s3_server() -> Iterator[str]:
    """The URL of a server that knows no bucket yet."""
    server = make_server(HOST, 0, create_backend_app("s3"), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
