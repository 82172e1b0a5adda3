"""From ``modelscope://OWNER/NAME@REVISION`` or ``https://host/folder`` to a model's folder on this machine."""

from __future__ import annotations

import json
import os
import tempfile
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from handkit.errors import HubError, OfflineError
from handkit.formats.modelscope import CONFIGURATION, named_files, plain_values
from handkit.hub.cache import home
from handkit.hub.fetch import logger
from handkit.hub.modelscope import DEFAULT_REVISION, SCHEME, ModelId, cache_roots, cached, is_plain_id
from handkit.hub.schema import CardFile
from handkit.hub.sources import Progress, is_inside
from handkit.offline import offline

_CONFIGURATION_LIMIT = 16 << 20  # bytes
#: What a bundle says of itself; a mirror need not have it.
_OPTIONAL = ("card.json", "README.md")

Address = Callable[[str], str]


def is_model_reference(text: str) -> bool:
    """Whether a text names a model on a server.

    >>> [is_model_reference(t) for t in ('modelscope://a/b', 'https://host/hand', 'models/hand', 'hub:card/file')]
    [True, True, False, False]
    """
    return text.startswith((SCHEME, "https://", "http://"))


def cached_model(text: str) -> Path | None:
    """The folder of a plain ``OWNER/NAME`` that ModelScope's own tools brought here, or None."""
    return cached(ModelId(*text.split("/")), CONFIGURATION) if is_plain_id(text) else None


def model_folder(reference: str, progress: Progress = logger.warning) -> Path:
    """The folder of a model, downloaded first if need be.

    Of a model's files only those are brought that its configuration.json names. They lie below `handkit.hub.home`, in
    ``models/``; what is there is not asked for again, so a folder is deleted to get a branch's newer state.

    Args:
        reference: ``modelscope://OWNER/NAME@REVISION``, of which the revision may be missing (ModelScope's caches on
            this machine are looked into first), or the https address of a folder with a configuration.json.
        progress: told when a download begins; by default a warning is logged, as it takes time and the network.

    Raises:
        HubError: it cannot be had; the message says where it was looked for and how to mend it.
        OfflineError: it would have to be downloaded, but HANDKIT_OFFLINE=1 is set.
        ConfigError: its configuration.json is none that handkit reads.
    """
    return _of_hub(reference, progress) if reference.startswith(SCHEME) else _of_mirror(reference, progress)


def _of_hub(reference: str, progress: Progress) -> Path:
    model = ModelId.parse(reference)
    found = cached(model, CONFIGURATION)
    if found is not None:
        return found
    revision = model.revision or DEFAULT_REVISION
    into = home() / "models" / "modelscope" / model.owner / model.name / revision
    if (into / CONFIGURATION).is_file():
        return into
    if offline():
        places = "".join(f"\n  {root}" for root in [*cache_roots(), into])
        raise OfflineError(
            f"{reference} is not on this machine, and HANDKIT_OFFLINE is set. Looked below:{places}\n"
            "To mend it: unset HANDKIT_OFFLINE; or run snapshot_download of modelscope on a machine with a network, "
            "copy the folder here, and give its path, or set MODELSCOPE_CACHE to the cache it came from."
        )
    from handkit.hub import modelscope_api

    progress(f"downloading {model} ({revision}) from {modelscope_api.endpoint()}")
    stated = modelscope_api.files(model, revision)
    if CONFIGURATION not in stated:
        raise HubError(f"{reference}: the model has no {CONFIGURATION}, so nothing says how to run it")
    _bring(reference, into, lambda path: modelscope_api.file_url(model, revision, path), stated)
    return into


def _of_mirror(reference: str, progress: Progress) -> Path:
    from handkit.hub import web

    url = reference.rstrip("/")
    web.check_url(url)
    parts = urllib.parse.urlsplit(url)
    place = urllib.parse.unquote(parts.path).strip("/")
    if parts.query or parts.fragment or (place and not is_inside(place)):
        raise HubError(f"{reference!r} must be the plain address of a folder")
    into = home() / "models" / "https" / parts.netloc.replace(":", "_") / place
    if (into / CONFIGURATION).is_file():
        return into
    if offline():
        raise OfflineError(
            f"{reference} is not on this machine ({into}), and HANDKIT_OFFLINE is set. To mend it: unset it; or copy "
            "the folder here and give its path."
        )
    progress(f"downloading {url}")
    _bring(reference, into, lambda path: f"{url}/{urllib.parse.quote(path)}", {})
    return into


def _bring(reference: str, into: Path, address: Address, stated: Mapping[str, CardFile]) -> None:
    """Downloads a model beside its place; the folder appears whole or not at all."""
    from handkit.hub import web

    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as beside:
            made = Path(beside) / into.name
            web.fetch(address(CONFIGURATION), made / CONFIGURATION, stated.get(CONFIGURATION))
            stated = {**_of_card(made, address, stated), **stated}
            for path in named_files(_configuration(made, reference), reference):
                if not is_inside(path):
                    raise HubError(f"{reference}: its {CONFIGURATION} names {path!r}, which lies outside its folder")
                web.fetch(address(path), made / path, stated.get(path))
            _settle(made, into)
    except web.NotThereError as error:
        raise HubError(f"{reference}: the server lacks a file of the model: {error}") from error
    except HubError:
        raise
    except OSError as error:
        raise HubError(f"cannot write {into}: {error.strerror} (HANDKIT_HOME chooses the cache's folder)") from error


def _settle(made: Path, into: Path) -> None:
    """Puts a model in its place, into the folder itself where models of other revisions or addresses lie below it."""
    if not into.exists():
        os.replace(made, into)
        return
    last = made / CONFIGURATION  # by which a model counts as being there
    for part in [*(path for path in made.iterdir() if path != last), last]:
        if not (into / part.name).exists():
            os.replace(part, into / part.name)


def _of_card(made: Path, address: Address, stated: Mapping[str, CardFile]) -> dict[str, CardFile]:
    """Brings what a bundle says of itself, and gives the files whose size and sha256 it states."""
    from handkit.hub import web

    for path in _OPTIONAL:
        if stated and path not in stated:
            continue
        try:
            web.fetch(address(path), made / path, stated.get(path))
        except web.NotThereError:
            continue
    try:
        entries = json.loads((made / _OPTIONAL[0]).read_text(encoding="utf-8"))["files"]
        files = [CardFile(str(entry["name"]), str(entry["sha256"]), int(entry["size"]), ()) for entry in entries]
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise HubError(f"{address(_OPTIONAL[0])} is no card of a bundle: {error!r}") from error
    return {file.name: file for file in files}


def _configuration(made: Path, reference: str) -> Any:
    path = made / CONFIGURATION
    if path.stat().st_size > _CONFIGURATION_LIMIT:
        raise HubError(f"{reference}: its {CONFIGURATION} has more than {_CONFIGURATION_LIMIT} bytes")
    try:
        return plain_values(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise HubError(f"{reference}: its {CONFIGURATION} is no JSON: {error}") from error
