"""The rows behind a finding, for reading and for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from presheaf.audits.result import Audit, Comparison, Finding, RowGroup
from presheaf.errors import InputError
from presheaf.report.plain import plural, visible

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line(NamedTuple):
    """One row of the table under one finding. ``group`` counts from 1; 0 for a row listed without its group."""

    finding: str
    model: str
    group: int
    row: int
    label: str
    text: str
    cause: str
    note: str


def rows_csv(result: Audit | Comparison, code: str) -> str:
    """The rows behind a finding as CSV with a header: finding, model, group, row, label, text, cause, note.

    ``row`` is the 1-based row number of the table that was audited. Rows whose group the audit left out are listed
    with their number only. Every text cell is quoted, and one that a spreadsheet would take for
    a formula gets a ``'`` in front.

    Raises
    ------
    InputError
        No finding has that code.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(Line._fields)
    for model, finding in _findings(result, code):
        for line in _lines(model, finding):
            writer.writerow([_cell(value) if isinstance(value, str) else value or "" for value in line])
    return out.getvalue()


def rows_text(result: Audit | Comparison, code: str, *, width: int = 100) -> str:
    """The rows behind a finding for a terminal: a paragraph a group, with every text, label and the cause.

    Raises
    ------
    InputError
        No finding has that code.
    """
    blocks = [_block(model, finding, max(width, 40)) for model, finding in _findings(result, code)]
    return "\n".join(blocks)


def _findings(result: Audit | Comparison, code: str) -> list[tuple[str, Finding]]:
    audits = (result,) if isinstance(result, Audit) else result.audits
    wanted = code.strip().upper()
    found = [(audit.model.name, f) for audit in audits for f in audit.findings if f.code.upper() == wanted]
    if not found:
        codes = sorted({f.code for audit in audits for f in audit.findings})
        raise InputError(f"'finding' must be one of {', '.join(codes) or '(there are none)'}; got {code!r}.")
    return found


def _lines(model: str, finding: Finding) -> Iterator[Line]:
    listed: set[int] = set()
    for number, group in enumerate(finding.groups, start=1):
        listed.update(group.rows)
        for row, label, text in _members(group):
            yield Line(finding.code, model, number, row, label, text, group.cause, group.note)
    for row in finding.rows:
        if row not in listed:
            yield Line(finding.code, model, 0, row, "", "", "", "")


def _members(group: RowGroup) -> Iterator[tuple[int, str, str]]:
    for i, row in enumerate(group.rows):
        label = group.labels[i] if i < len(group.labels) else ""
        yield row, label, group.texts[i] if i < len(group.texts) else ""


def _cell(value: str) -> str:
    return "'" + value if value.startswith(_FORMULA) else value


def _block(model: str, finding: Finding, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    lines = [f"{finding.code} {finding.title} ({finding.status}, {finding.kind}) · {visible(model, 60)}"]
    lines += [f"  {visible(text, 2000)}" for text in (finding.message, finding.remedy) if text]
    for number, group in enumerate(finding.groups, start=1):
        reason = " · ".join(visible(part, 300) for part in (group.cause, group.note) if part)
        lines += ["", f"  group {number}, {plural(len(group.rows), 'row')}" + (f": {reason}" if reason else "")]
        for row, label, text in _members(group):
            start = f"    {row:>7}  {visible(label, 40)}  "
            shown, room = visible(text, width), max(width - cell_len(start), 20)
            lines.append(start + (shown if cell_len(shown) <= room else set_cell_size(shown, room - 1) + "…"))
    rest = sorted(set(finding.rows) - {row for group in finding.groups for row in group.rows})
    if rest:
        lines += ["", f"  {plural(len(rest), 'row')} more, by number only: " + ", ".join(map(str, rest))]
    if not finding.groups and not rest:
        lines.append("  No rows belong to this finding.")
    return "\n".join(line.rstrip() for line in lines) + "\n"
