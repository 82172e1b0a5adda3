"""`handkit data check`: what is wrong with a config's data, found before a training is wasted on it."""

from handkit.datasets.checking.check import Report, check_data
from handkit.datasets.checking.findings import KINDS, Finding

__all__ = ["KINDS", "Finding", "Report", "check_data"]
