"""`handkit modelscope`: whether ModelScope finds handkit by itself."""

from __future__ import annotations

import importlib.util

import typer

modelscope = typer.Typer(
    name="modelscope", help="Have ModelScope's pipelines find handkit without an import.", no_args_is_help=True
)


@modelscope.command()
def enable() -> None:
    """Writes one .pth file into this environment, so that ModelScope finds handkit in every process."""
    from handkit.interop.enabling import enable

    print(f"written: {enable()}")
    if importlib.util.find_spec("modelscope") is None:
        print("ModelScope is not installed here yet: pip install 'handkit[modelscope]'")


@modelscope.command()
def disable() -> None:
    """Removes that file."""
    from handkit.interop.enabling import disable

    removed = disable()
    print("\n".join(f"removed: {path}" for path in removed) or "it was not enabled")
