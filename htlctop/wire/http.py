"""GET from one web site, in bounded time and room, with errors that say what mends them."""

import http.client
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from htlctop.errors import ConfigError, NodeConnectionError, NodePermissionError

MOST_BYTES = 8 * 1024 * 1024
_CHUNK = 64 * 1024


class NotFound(NodeConnectionError):
    """There is no such page."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Somebody who sends us elsewhere is not who we meant to ask."""

    def redirect_request(self, *_: object) -> None:
        return None


class Site:
    """One site; `get` blocks its thread and may be called from several at once.

    Args:
        url: scheme, host, port, and a path where it is not at the root.
        name: what it is called. option: how the user named it.
        timeout_s: how long one answer may take in all.

    Raises ConfigError when the URL is none, or holds a password.
    """

    def __init__(self, url: str, name: str, option: str, timeout_s: float) -> None:
        try:
            parts = urlsplit(url.strip())
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https") or parts.query or not url.isascii():
            raise ConfigError(f"{option} is no URL: write http://127.0.0.1:8081")
        if "@" in parts.netloc:
            raise ConfigError(f"{option}: a password in a URL is not supported")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._name, self._option, self._timeout_s = name, option, timeout_s
        # No proxy: it is on this machine or on the network beside it.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)

    def get(self, path: str) -> str:
        """The page at a path, as text.

        Raises: NotFound; NodePermissionError: it wants a password; NodeConnectionError.
        """
        until_s = time.monotonic() + self._timeout_s
        try:
            with self._opener.open(self.url + path, timeout=self._timeout_s) as answer:
                return self._read(answer, until_s).decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            error.close()
            raise self._refused(error.code, path) from None
        except TimeoutError:
            raise self._too_slow() from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._too_slow() from None
            if isinstance(error.reason, ConnectionRefusedError):
                raise NodeConnectionError(
                    f"nothing listens at {self.url}: start {self._name}, or correct {self._option}"
                ) from None
            raise NodeConnectionError(
                f"{self._name} at {self.url} cannot be reached: {_short(error.reason)}"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise NodeConnectionError(
                f"{self._name} at {self.url} broke off: {_short(error)}"
            ) from None

    def _read(self, answer: http.client.HTTPResponse, until_s: float) -> bytes:
        body = bytearray()
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > MOST_BYTES:
                raise NodeConnectionError(f"{self._name} at {self.url} answers far too much")
            if time.monotonic() > until_s:
                raise TimeoutError
        return bytes(body)

    def _refused(self, code: int, path: str) -> NodeConnectionError | NodePermissionError:
        if code == 404:
            return NotFound(f"{self.url} has no {path}: check {self._option}")
        if code in (401, 403):
            return NodePermissionError(f"{self.url} wants a password: check {self._option}")
        if 300 <= code < 400:
            return NodeConnectionError(f"{self.url} sends us elsewhere: correct {self._option}")
        return NodeConnectionError(f"{self._name} at {self.url} fails with {code} for {path}")

    def _too_slow(self) -> NodeConnectionError:
        return NodeConnectionError(
            f"{self._name} at {self.url} did not answer within {self._timeout_s:g} s"
        )


def _short(error: object) -> str:
    text = " ".join(str(error).split())
    return text[:100] or type(error).__name__
