"""A stated wheel from a package index by urllib (PEP 503 and PEP 691), for Pythons without pip."""

from __future__ import annotations

import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

from handkit.errors import HubError
from handkit.hub.schema import Wheel
from handkit.hub.verify import copy_checked

DEFAULT_INDEX = "https://pypi.org/simple"
TIMEOUT = 30.0  # seconds without a byte
PAGE_LIMIT = 64 << 20  # bytes of an index page

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


def download(wheel: Wheel, into: Path) -> None:
    """Finds `wheel` by its file name on the index of ``PIP_INDEX_URL`` (or PyPI) and downloads it.

    Proxies are taken from the environment as urllib does. Size and sha256 are checked.

    Raises:
        HubError: the index is not reached or lacks the wheel, or the bytes are wrong.
    """
    package = re.sub(r"[-_.]+", "-", wheel.requirement.partition("==")[0]).lower()
    page = f"{_index()}/{package}/"
    try:
        with _open(page, _ACCEPT) as answer:
            links = _links(answer.read(PAGE_LIMIT), answer.headers.get_content_type())
            base = answer.geturl()
        if wheel.filename not in links:
            raise HubError(f"the index page {page} has no {wheel.filename}")
        with _open(urllib.parse.urljoin(base, links[wheel.filename]), "*/*") as answer:
            _copy(answer, wheel, into)
    except HubError:
        raise
    except urllib.error.HTTPError as error:
        raise HubError(f"{error.url} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HubError(f"{page}: {getattr(error, 'reason', error)}") from error


def _index() -> str:
    """The index's URL without its last slash; one with a password is left to pip, which knows how to keep it."""
    index = os.environ.get("PIP_INDEX_URL") or DEFAULT_INDEX
    parts = urllib.parse.urlsplit(index)
    if parts.username is not None or parts.password is not None:
        raise HubError("PIP_INDEX_URL has a user name in it: install pip, which can log in")
    return index.rstrip("/")


def _open(url: str, accept: str) -> http.client.HTTPResponse:
    """Opens an http or https address, and no other."""
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise HubError(f"the index names {url}: only http and https are read")
    answer: http.client.HTTPResponse = urllib.request.urlopen(
        urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "handkit"}), timeout=TIMEOUT
    )
    return answer


def _copy(answer: http.client.HTTPResponse, wheel: Wheel, into: Path) -> None:
    try:
        copy_checked(answer, into, wheel)
    except HubError as error:
        raise HubError(f"the wheel {wheel.filename} {error}") from error


def _links(page: bytes, kind: str) -> dict[str, str]:
    """File name to address, of an index page in JSON or HTML."""
    if kind.endswith("+json"):
        try:
            return {entry["filename"]: entry["url"] for entry in json.loads(page)["files"]}
        except (KeyError, TypeError) as error:
            raise ValueError("not a page of a package index") from error
    parser = _Anchors()
    parser.feed(page.decode("utf-8", "replace"))
    return parser.links


class _Anchors(HTMLParser):
    """Collects the text and target of every anchor."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self._target: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._target = dict(attrs).get("href")

    def handle_data(self, data: str) -> None:
        if self._target and data.strip():
            self.links[data.strip()] = self._target

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._target = None
