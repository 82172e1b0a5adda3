"""What a network can be asked for."""

from __future__ import annotations

from typing import Literal, get_args

from handkit.errors import ConfigError, did_you_mean

#: 'tensor' gives the raw outputs, 'loss' the terms of the training loss, 'predict' the outputs ready to be decoded.
Mode = Literal["tensor", "loss", "predict"]


def check_mode(mode: str, network: object) -> None:
    """Refuses a word that is no mode.

    Raises:
        ConfigError: it is none.
    """
    if mode not in get_args(Mode):
        raise ConfigError(f"{type(network).__name__} has no mode {mode!r}; {did_you_mean(mode, get_args(Mode))}")
