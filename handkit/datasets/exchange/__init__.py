"""`handkit data convert`: labels of hands from and to the formats that people annotate and train in."""

from handkit.datasets.exchange.convert import FORMATS, Conversion, convert, guess_format

__all__ = ["FORMATS", "Conversion", "convert", "guess_format"]
