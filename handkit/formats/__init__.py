"""Configs of other toolkits -> handkit's: plain dicts in, plain dicts out, nothing imported and nothing executed.

`parse_config` reads the text of a ``.py`` config; `mmpose.translate` and `mmdet.translate` turn the result into the
keys of a handkit config. What has no counterpart here is refused with its place. Left out without a word, since it
changes neither network nor measurement: hooks, logging, visualisation, process settings, worker counts, and the weights
that training begins with (`init_cfg`, `load_from`), which are named by URLs that nothing should fetch unasked.
"""

from handkit.formats.text import parse_config

__all__ = ["parse_config"]
