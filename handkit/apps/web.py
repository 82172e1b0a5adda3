"""The web program: one page, and the hands of one uploaded picture as JSON.

    GET  /             the page
    GET  /v1/skeleton  joint names, bones and colours
    POST /v1/hands     a picture -> `Hands.to_dict()`

Pictures stay in memory while they are answered and are stored nowhere.
"""

# Annotations are not postponed here: FastAPI reads those of the endpoints, whose types are imported inside functions.
import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from handkit import __version__
from handkit.errors import ImageError, ImageTooLargeError, MissingExtraError
from handkit.images import Array, read_image
from handkit.skeleton import HAND

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

#: A picture with more bytes is refused.
MAX_BYTES = 1024 * 1024
#: A picture with more pixels is refused before it is decoded: a megabyte of PNG can hold many gigabytes.
MAX_PIXELS = 25_000_000
#: What multipart/form-data may add to the picture's own bytes.
_FRAME_BYTES = 16 * 1024
#: Seconds in which an upload must have arrived.
RECEIVE_SECONDS = 30.0
#: More open connections than this are answered with 503.
CONNECTIONS = 64
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
#: A JPEG with more passes over its pixels is refused; cameras and programs write at most a dozen.
MAX_SCANS = 100
_START_OF_SCAN = b"\xff\xda"
_HOW = "send one JPEG or PNG as multipart/form-data in the field 'file', e.g. curl -F file=@hand.jpg URL"
#: The page, whose script is the only one that a browser runs.
PAGE = Path(__file__).with_name("web.html")
#: What `POST /v1/hands` may answer.
ANSWERS = {
    200: "The hands, in pixels of the upright picture; none found is empty lists. The keys are `Hands.to_dict`'s.",
    400: "No picture, an empty one, more than one, or an upload or query that cannot be read.",
    408: "The upload took too long.",
    413: f"More than {MAX_BYTES} bytes or {MAX_PIXELS} pixels.",
    415: "Neither JPEG nor PNG, or not multipart/form-data.",
    422: "Broken or truncated.",
}
_BODY = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "One JPEG or PNG."}},
    "additionalProperties": False,
}
_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


def create_app(pipe: Callable[..., Any], receive_seconds: float = RECEIVE_SECONDS) -> "FastAPI":
    """The program as an ASGI application.

    Args:
        pipe: a pipeline of `hand_2d_keypoints`; it is asked about one picture at a time, in another thread.
        receive_seconds: in which an upload must have arrived.

    Raises:
        MissingExtraError: FastAPI or python-multipart is not installed.
    """
    try:
        import python_multipart  # noqa: F401  (what FastAPI reads uploads with)
        from anyio import to_thread
        from fastapi import FastAPI, HTTPException, Request
        from fastapi.exceptions import RequestValidationError
        from fastapi.responses import HTMLResponse, JSONResponse
    except ImportError as error:
        raise _missing(error) from None

    app = FastAPI(title="handkit", version=__version__, docs_url=None, redoc_url=None)
    page, headers = _page()
    one_at_a_time = asyncio.Lock()

    @app.get("/", response_class=HTMLResponse, summary="The page")
    async def index() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    @app.get("/v1/skeleton", summary="Joint names, bones (pairs of joints) and RGB colours")
    async def skeleton() -> dict[str, Any]:
        return {"name": HAND.name, "joints": HAND.joints, "edges": HAND.edges, "colors": HAND.colors}

    @app.post(
        "/v1/hands",
        summary="The hands of one picture",
        responses={status: {"description": text} for status, text in ANSWERS.items()},
        openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _BODY}}}},
    )
    async def hands(request: Request, mirrored: bool = False) -> JSONResponse:
        if unknown := sorted({*request.query_params} - {"mirrored"}):
            raise HTTPException(400, f"the query has {', '.join(unknown)}, but takes 'mirrored' alone")
        data = await _uploaded(request, receive_seconds)
        async with one_at_a_time:
            return JSONResponse(await to_thread.run_sync(partial(_answer, pipe, data, mirrored)))

    @app.exception_handler(RequestValidationError)
    async def bad_query(request: Request, error: RequestValidationError) -> JSONResponse:
        words = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return JSONResponse({"detail": words}, 400)

    return app


def serve(load: Callable[[], Callable[..., Any]], host: str = "127.0.0.1", port: int = 8000) -> None:
    """Answers until it is interrupted.

    Args:
        load: gives the pipeline that `create_app` takes; asked once the extra is there and the address is ours.
        host: address to listen at.
        port: 0 takes a free one.

    Raises:
        MissingExtraError: the extra `serve` is not installed.
        OSError: the address is taken, empty, or not this machine's.
    """
    try:
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise _missing(error) from None
    with _listening(host, port) as listening:
        config = uvicorn.Config(create_app(load()), limit_concurrency=CONNECTIONS, log_level="warning")
        shown = f"[{host}]" if ":" in host else host
        print(f"handkit is at http://{shown}:{listening.getsockname()[1]}/ (Ctrl-C ends it)", flush=True)
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> Any:
    """A socket at which connections already wait for the server; port 0 takes a free one."""
    import errno
    import socket

    if not host:  # which a socket takes for every address of this machine
        raise OSError("the host is empty: name --host 127.0.0.1, or 0.0.0.0 to open it to the network")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except (OSError, TypeError) as error:  # a TypeError: a name that no host can have
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        of_port = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        mend = "choose another --port" if of_port else "name an address of this machine as --host, e.g. 127.0.0.1"
        raise OSError(f"{host}:{port} cannot be listened at: {reason}; {mend}") from None
    return listening


def _missing(error: ImportError) -> MissingExtraError:
    return MissingExtraError((error.name or "fastapi").replace("_", "-"), "serve", "handkit serve")


def _page() -> tuple[str, dict[str, str]]:
    """The page, and headers by which a browser runs its script and no other, and asks no other server."""
    page = PAGE.read_text("utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    policy = {
        **{"default-src": "'none'", "script-src": " ".join(f"'sha256-{one}'" for one in hashes)},
        **{"style-src": "'unsafe-inline'", "connect-src": "'self'", "img-src": "blob: data:"},
        **{"base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"},
    }
    return page, {
        "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


async def _uploaded(request: "Request", seconds: float) -> bytes:
    """The bytes of the one file of a request.

    Raises:
        HTTPException: 400, 408, 413 or 415.
    """
    from anyio import fail_after
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request

    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, f"the request is no upload: {_HOW}")
    try:
        with fail_after(seconds):
            limited = Request(request.scope, _limited(request.receive, MAX_BYTES + _FRAME_BYTES))
            async with limited.form(max_files=1, max_fields=0) as form:
                file = form.get("file")
                data = b"" if file is None or isinstance(file, str) else await file.read()
    except TimeoutError:
        raise HTTPException(408, f"the upload did not arrive within {seconds:g} seconds") from None
    except ClientDisconnect:
        raise HTTPException(400, "the upload was broken off") from None
    except HTTPException as error:
        detail = error.detail if error.status_code != 400 else f"the upload cannot be read ({error.detail}): {_HOW}"
        raise HTTPException(error.status_code, detail) from None
    except ValueError as error:  # e.g. a charset by which names cannot be decoded
        raise HTTPException(400, f"the upload cannot be read ({error}): {_HOW}") from None
    if not data:
        raise HTTPException(400, f"{'no picture' if file is None else 'the picture is empty'}: {_HOW}")
    if len(data) > MAX_BYTES:
        raise _too_many_bytes()
    return data


def _limited(receive: _Receive, limit: int) -> _Receive:
    """`receive` that takes in a longer body to its end, but keeps nothing of it, and then refuses it.

    A browser that is still sending would not read an earlier answer.
    """
    taken = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        while taken > limit and message["type"] == "http.request":
            if not message.get("more_body"):
                raise _too_many_bytes()
            message = await receive()
        return message

    return limited


def _too_many_bytes() -> Exception:
    from starlette.exceptions import HTTPException

    return HTTPException(413, f"the picture has more than {MAX_BYTES} bytes (1 MB): scale it down or save it as JPEG")


def _answer(pipe: Callable[..., Any], data: bytes, mirrored: bool) -> dict[str, Any]:
    found: dict[str, Any] = pipe(_decode(data), channel_order="rgb", mirrored=mirrored).to_dict()
    return found


def _decode(data: bytes) -> Array:
    """A picture's RGB pixels.

    Raises:
        HTTPException: 413, 415 or 422.
    """
    from starlette.exceptions import HTTPException

    if not data.startswith(_SIGNATURES):
        raise HTTPException(415, "the file is neither a JPEG nor a PNG, whatever its name says: save it as one of them")
    if data.count(_START_OF_SCAN) > MAX_SCANS and data.startswith(_SIGNATURES[0]):
        raise HTTPException(422, f"the picture has more than {MAX_SCANS} scans; save it anew")
    try:
        return read_image(data, name="the picture", max_pixels=MAX_PIXELS)
    except ImageTooLargeError as error:
        raise HTTPException(413, str(error)) from None
    except ImageError as error:
        raise HTTPException(422, f"{error}; save it anew") from None
