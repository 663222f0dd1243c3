"""A server process that sends the odd answers byte by byte: `python -m tests.spiders.wireserver LOG`. Its first line is its port.

Every request is appended to the log as a line of hex. The path `/again` answers 304 to a request with a condition.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

from tests.spiders.wireanswers import ANSWERS, OddAnswer, sized

PIECE_BYTES = 1
AT_ONCE_FROM = 2_000  # bytes of one answer; a long one is sent in pieces of its size
ETAG = b'ETag: "v1"\r\n'


def again(request: bytes) -> OddAnswer:
    """A page that knows conditional requests."""
    if b"\r\nIf-None-Match: " in request:
        head = b"HTTP/1.1 304 Not Modified\r\n" + ETAG + b"X-Second: yes\r\n\r\n"
        return OddAnswer(head, head, b"")
    return sized(b"HTTP/1.1 200 OK", b"Content-Type: text/html\r\n" + ETAG)


def serve(connection: socket.socket, log: Path, lock: threading.Lock) -> None:
    """One exchange, then the end of the connection."""
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
        with lock, log.open("a") as file:
            file.write(request.hex() + "\n")
        name = request.split(b" ", 2)[1].decode().strip("/")
        answer = again(request) if name == "again" else ANSWERS.get(name) or sized(b"HTTP/1.1 200 OK", b"Content-Type: text/html\r\n")
        size = PIECE_BYTES if len(answer.sent) < AT_ONCE_FROM else AT_ONCE_FROM
        try:
            for start in range(0, len(answer.sent), size):
                connection.sendall(answer.sent[start : start + size])
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except OSError:  # who does not like an answer hangs up
            return


def main(log: Path) -> None:
    """Serves until it is ended."""
    lock = threading.Lock()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, log, lock), daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
