"""The report: text, JSON, HTML, a notebook's card and drawing. All faces show the same numbers; none computes any."""

from presheaf.report.files import write
from presheaf.report.html import to_html
from presheaf.report.notebook import Display, card, plot, to_frame
from presheaf.report.rows import rows_csv, rows_text
from presheaf.report.serial import from_json, to_dict, to_json
from presheaf.report.text import to_text

__all__ = [
    "Display",
    "card",
    "from_json",
    "plot",
    "rows_csv",
    "rows_text",
    "to_dict",
    "to_frame",
    "to_html",
    "to_json",
    "to_text",
    "write",
]
