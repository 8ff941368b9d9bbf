"""Lines of styled text for a terminal of a given width; wide characters and missing colour are its business."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from presheaf.images import shown
from presheaf.report.plain import visible

if TYPE_CHECKING:
    from rich.text import Text

Part = str | tuple[str, str]
NARROWEST = 40
_PATH = 40  # characters of a path's end


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """``text`` padded or cut to exactly ``cells`` columns of a terminal (a CJK character takes two)."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > cells:
        return set_cell_size(text, cells - 1) + "…"
    pad = " " * (cells - cell_len(text))
    return pad + text if right else text + pad


class Page:
    """Collects lines; `render` gives them as one string, with ANSI codes only when ``color`` is true.

    ``images`` says that rows' objects are paths of images, of which the end is shown.
    """

    def __init__(self, width: int, color: bool, images: bool = False) -> None:
        from rich.console import Console

        self.width = max(width, NARROWEST)
        self._color = color
        self._images = images
        self._out = io.StringIO()
        # Everything is said explicitly: the environment (NO_COLOR, TERM, COLUMNS) must not change a report.
        self._console = Console(
            file=self._out,
            width=self.width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._lines: list[Text] = []

    def object(self, text: str, limit: int = 0) -> str:
        """A row's object, cut to ``limit`` characters (the width where it is 0): a text's beginning, a path's end."""
        limit = limit or self.width
        return visible(shown(text, min(limit, _PATH)), limit) if self._images else visible(text, limit)

    def line(self, *parts: Part) -> None:
        """One line, cut at the width with an ellipsis."""
        text = self._text(*parts)
        text.truncate(self.width, overflow="ellipsis")
        self._lines.append(text)

    def gap(self) -> None:
        """An empty line."""
        self.line()

    def wrap(self, *parts: Part, lead: str = "", most: int = 0) -> None:
        """A paragraph, ``lead`` before its first line, the others indented as far; cut after ``most`` lines if said."""
        from rich.cells import cell_len

        text = self._text(*parts)
        lines = text.wrap(self._console, self.width - cell_len(lead), overflow="fold")
        kept = list(lines)[:most] if most else list(lines)
        if len(kept) < len(lines):
            kept[-1].rstrip()
            kept[-1].truncate(self.width - cell_len(lead) - 1)
            kept[-1].append("…")
        for i, line in enumerate(kept):
            line.rstrip()
            start = lead if i == 0 else " " * cell_len(lead)
            self._lines.append(self._text(start) + line)

    def head(self, title: str, note: str = "") -> None:
        """An empty line and a heading."""
        self.gap()
        self.line((title, "bold"), (f"  {note}" if note else "", "dim"))

    def render(self) -> str:
        """All lines, without blanks at their ends, each closed by a newline."""
        for line in self._lines:
            line.rstrip()
            self._console.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
        return self._out.getvalue()

    @staticmethod
    def _text(*parts: Part) -> Text:
        from rich.text import Text

        text = Text()
        for part in parts:
            text.append(*((part, "") if isinstance(part, str) else part))
        return text
