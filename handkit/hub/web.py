"""Files over https, as bytes that nobody trusts yet: of limited size, whole, and no web page in a file's place."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, Any

from handkit.errors import HubError
from handkit.files import writing
from handkit.hub.verify import Expected, copy_checked

TIMEOUT = 30.0  # seconds without a byte
LIMIT = 4 << 30  # bytes of a file whose size nobody states

_LOCAL = ("127.0.0.1", "localhost", "::1")
_BLOCK = 1 << 20


class NotThereError(HubError):
    """The server has no such file."""


def check_url(url: str) -> None:
    """Passes https addresses, and http ones of this machine itself.

    Raises:
        HubError: another address, or one with a user name in it.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise HubError(f"{url!r} is no address: {error}") from None
    if parts.username is not None:
        raise HubError(f"the address on {host} has a user name in it; write it without")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)):
        raise HubError(f"{url!r} is not read: only https:// addresses are (http:// on this machine itself)")


def read(url: str, limit: int) -> bytes:
    """The bytes at an address.

    Raises:
        NotThereError: the server answers 404.
        HubError: no https address, the server is not reached or refuses, or it answers too much, too little, or a page.
    """
    try:
        with _open(url) as answer:
            content = bytes(answer.read(limit + 1))
            if len(content) > limit:
                raise HubError(f"{url} has more than {limit} bytes")
            _check_whole(url, answer, len(content))
            _refuse_page(url, answer, content)
            return content
    except HubError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _explained(url, error) from error


def fetch(url: str, into: Path, expected: Expected | None = None) -> None:
    """Writes the bytes at an address to a file, which appears whole or not at all.

    Args:
        url: https, or http on this machine itself.
        into: the file; its folder is made.
        expected: size and sha256, if someone states them.

    Raises:
        NotThereError, HubError: see `read`; or the bytes are others than expected.
        OSError: the file cannot be written.
    """
    try:
        with _open(url) as answer:
            stream = _Judged(url, answer)
            if expected is not None:
                copy_checked(stream, into, expected)  # type: ignore[arg-type]  # all it does is to read
                return
            with writing(into) as file:
                while block := stream.read(_BLOCK):
                    file.write(block)
                _check_whole(url, answer, stream.count)
    except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, ConnectionError, TimeoutError) as error:
        raise _explained(url, error) from error


class _Judged:
    """A stream that refuses a web page at its first block, and more than `LIMIT` bytes."""

    def __init__(self, url: str, answer: Any) -> None:
        self.url = url
        self.answer = answer
        self.count = 0

    def read(self, size: int) -> bytes:
        block = bytes(self.answer.read(size))
        if not self.count:
            _refuse_page(self.url, self.answer, block)
        self.count += len(block)
        if self.count > LIMIT:
            raise HubError(f"{self.url} has more than {LIMIT} bytes")
        return block


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows only to addresses that might be asked for themselves."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str) -> Any:
    check_url(url)
    request = urllib.request.Request(url, headers={"User-Agent": "handkit"})
    return urllib.request.build_opener(_SafeRedirects).open(request, timeout=TIMEOUT)


def _check_whole(url: str, answer: Any, count: int) -> None:
    stated = answer.headers.get("Content-Length")
    if stated is not None and stated.isdecimal() and int(stated) != count:
        raise HubError(f"{url} broke off after {count} of {stated} bytes; try again")


def _refuse_page(url: str, answer: Any, content: bytes) -> None:
    """No file that is wanted here begins as a web page does; a login or an error page does."""
    begin = content[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begin.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise HubError(
            f"{url} answers a web page ({answer.headers.get_content_type()}) in the file's place: the address may be "
            "wrong, or need a login"
        )


def _explained(url: str, error: Exception) -> HubError:
    if isinstance(error, urllib.error.HTTPError):
        kind = NotThereError if error.code == 404 else HubError
        return kind(f"{url} answers {error.code} {error.reason}")
    reason = getattr(error, "reason", None) or error
    return HubError(f"{url} is not reached: {reason}; check the address, the network and the proxy settings")
