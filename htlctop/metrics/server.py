"""A small HTTP server for `/metrics` and `/healthz`: reads only, on the loopback unless told."""

import logging
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from htlctop.errors import ConfigError, UsageError
from htlctop.metrics.scrape import Page, Scraper

_log = logging.getLogger(__name__)

DEFAULT_LISTEN = "127.0.0.1:9740"
MOST_AT_ONCE = 16
"""Requests under way; further ones are hung up on."""
PATIENCE_S = 5.0
"""How long a client may take to say what it wants, or to take the answer."""
_INDEX = b"htlctop: /metrics for Prometheus, /healthz for whether the collector is live\n"
_TEXT = "text/plain; charset=utf-8"


class MetricsServer:
    """Listens from `start` (or `with`) to `close`, in threads of its own; closes the scraper too.

    Raises, from `start`, ConfigError when the address cannot be listened at.
    """

    def __init__(self, scraper: Scraper, listen: str = DEFAULT_LISTEN) -> None:
        self._scraper = scraper
        self._host, self._port = parse_listen(listen)
        self._http: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it listens, with the port that port 0 became."""
        port = self._http.server_address[1] if self._http is not None else self._port
        return f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can reach it."""
        return self._host not in ("localhost", "::1") and not self._host.startswith("127.")

    def start(self) -> None:
        """Begin to listen."""
        try:
            self._http = _Server(self._host, self._port, self._scraper)
        except OSError as error:
            self._scraper.close()
            why = error.strerror or str(error)
            raise ConfigError(f"cannot listen at {self.address}: {why}; choose another") from None
        self._thread = threading.Thread(
            target=self._http.serve_forever, name="htlctop-metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and give the store back."""
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
        self._scraper.close()

    def __enter__(self) -> "MetricsServer":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def parse_listen(text: str) -> tuple[str, int]:
    """ "host:port", "[::1]:port" or a port of the loopback. Raises UsageError."""
    host, _, port = text.rpartition(":")
    host = host or "127.0.0.1"
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        port = ""
    if not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise UsageError(f"{text!r} is no address to listen at; write {DEFAULT_LISTEN}")
    return host, int(port)


_Request = socket.socket | tuple[bytes, socket.socket]


class _Server(ThreadingHTTPServer):
    """A thread for each of a few requests."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, scraper: Scraper) -> None:
        self.scraper = scraper
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """As the class above does, but without asking a name server who we are."""
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)

    def process_request(self, request: _Request, client_address: object) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: _Request, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        _log.debug("a request failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE_S
    server_version = "htlctop"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._page(), with_body=True)

    def do_HEAD(self) -> None:
        self._answer(self._page(), with_body=False)

    def _page(self) -> Page:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            return self.server.scraper.metrics(self.headers.get("Accept", ""))
        if path == "/healthz":
            return self.server.scraper.health()
        return Page(200 if path == "/" else 404, _TEXT, _INDEX)

    def _answer(self, page: Page, *, with_body: bool) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)
