"""Servers that receive messages: a web hook, a mail server that speaks SMTP, and a collector of OpenTelemetry."""

from __future__ import annotations

import email
import email.policy
import gzip
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


class WebHook:
    """What was posted, and the status that is answered."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.port = 0


@contextmanager
def web_hook() -> Iterator[WebHook]:
    hook = WebHook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.received.append(json.loads(body))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is written."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        hook.port = port
        yield hook


class MailBox:
    """The messages that arrived, parsed, and who they are for."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], Any]] = []
        self.port = 0


@contextmanager
def mail_server() -> Iterator[MailBox]:
    box = MailBox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            receivers: list[str] = []
            self._say("220 sink")
            while line := self.rfile.readline().decode().strip():
                verb = line.upper()
                if verb.startswith("RCPT"):
                    receivers.append(line.partition("<")[2].partition(">")[0])
                if verb == "DATA":
                    self._say("354 go on")
                    box.messages.append((receivers, email.message_from_bytes(self._data(), policy=email.policy.default)))
                self._say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

        def _data(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            return b"".join(lines)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        box.port = port
        yield box


class Collector:
    """The last value of each counter, by its name and its labels, sorted."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str | tuple[str, str], ...], float] = {}
        self.port = 0


@contextmanager
def otlp_collector() -> Iterator[Collector]:
    """A server that takes metrics as OTLP over HTTP, in protobuf."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = ExportMetricsServiceRequest.FromString(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            for metric in (metric for one in request.resource_metrics for scope in one.scope_metrics for metric in scope.metrics):
                for point in metric.sum.data_points:
                    labels = sorted((label.key, label.value.string_value) for label in point.attributes)
                    collector.numbers[metric.name, *labels] = point.as_int or point.as_double
            self.send_response(200 if self.path == "/v1/metrics" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is written."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        collector.port = port
        yield collector


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    server.daemon_threads = True  # type: ignore[attr-defined]
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
