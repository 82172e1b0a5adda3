"""Self-contained HTML pages about measurements and data."""

from handkit.reports.report import ReportWriter

__all__ = ["ReportWriter"]
