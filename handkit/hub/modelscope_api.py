"""The two calls of ModelScope's HTTP interface that handkit makes: a model's list of files, and one file."""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from typing import Any

from handkit.errors import HubError
from handkit.hub import web
from handkit.hub.modelscope import ModelId
from handkit.hub.schema import CardFile

DEFAULT_ENDPOINT = "https://modelscope.cn"
_LIST_LIMIT = 16 << 20  # bytes


def endpoint() -> str:
    """``MODELSCOPE_ENDPOINT`` as ModelScope's own tools read it, without the last slash."""
    named = os.environ.get("MODELSCOPE_ENDPOINT", "").strip() or DEFAULT_ENDPOINT
    return (named if "://" in named else f"https://{named}").rstrip("/")


def file_url(model: ModelId, revision: str, path: str) -> str:
    """The address of one file."""
    query = urllib.parse.urlencode({"Revision": revision, "FilePath": path})
    return f"{endpoint()}/api/v1/models/{model}/repo?{query}"


def files(model: ModelId, revision: str) -> dict[str, CardFile]:
    """The files of a model with size and sha256, by their path in it; those without a sha256 are left out.

    Raises:
        HubError: the hub is not reached, has no such model or revision, or answers something else.
    """
    query = urllib.parse.urlencode({"Revision": revision, "Recursive": "True"})
    url = f"{endpoint()}/api/v1/models/{model}/repo/files?{query}"
    try:
        content = json.loads(web.read(url, _LIST_LIMIT))
        entries = content["Data"]["Files"]
        found = [_file(entry) for entry in entries if entry.get("Type") != "tree"]
    except web.NotThereError as error:
        raise HubError(f"ModelScope has no model {model} with revision {revision} ({error})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HubError(f"{url} answers no list of files, as ModelScope's hub does") from error
    return {file.name: file for file in found if file is not None}


def _file(entry: dict[str, Any]) -> CardFile | None:
    digest = str(entry.get("Sha256") or "").lower()
    if not re.fullmatch("[0-9a-f]{64}", digest):
        return None
    return CardFile(str(entry["Path"]), digest, int(entry["Size"]), ())
