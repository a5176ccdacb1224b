"""One self-contained HTML page per run: the result, how sure it is, which reactions made it, and all that went in."""

from tammann.report.write import write_report

__all__ = ["write_report"]
