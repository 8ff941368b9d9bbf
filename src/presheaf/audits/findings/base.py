"""What every finding is made of, and the evidence it may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.merges import SHOWN, Merges
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding, Forecast, Kind, PromptChoice, RowGroup, Rung, Severity, Status

FROZEN = ("one prompt per label", "k prompts per label", "soft prompt", "head")
"""The rungs of every model that leave the weights alone, cheapest first."""
UNCHANGED = (
    "one prompt per label", "written prompt", "few-shot prompt", "k prompts per label", "tuned soft prompt",
    "soft prompt", "layer probe", "head",
)  # fmt: skip
"""The same with those that only a language model has."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that was measured before the findings are written.

    ``climbs`` and ``baseline`` map rung names to climbs; ``target`` is the user's or None.
    """

    context: Context
    merges: Merges
    climbs: dict[str, Climb]
    baseline: dict[str, Climb]
    prompts: tuple[PromptChoice, ...]
    forecast: Forecast | None
    target: float | None

    def rung(self, name: str) -> Rung:
        return self.climbs[name].rung

    @property
    def tuning(self) -> tuple[Rung, str]:
        """What fine-tuning reaches, and how that is known: "forecast", or "measured" where a real run got at least that.

        A run that got less shows what its few steps reach, not what fine-tuning can.
        """
        forecast = self.rung("fine-tune forecast")
        for name, climb in self.climbs.items():
            reached = climb.rung.accuracy
            if name.startswith("fine-tuned") and reached is not None and reached >= (forecast.accuracy or 0.0):
                return climb.rung, "measured"
        return forecast, "forecast"

    @property
    def frozen(self) -> list[Climb]:
        """Climbs that leave the weights alone and have a number, cheapest first."""
        known = [self.climbs[name] for name in UNCHANGED if name in self.climbs]
        return [climb for climb in known if climb.rung.accuracy is not None]


@dataclass(frozen=True)
class Check:
    """A coded finding and the function that looks for it.

    ``look`` returns a `Finding` made with `found`, `nothing`, `unsaid` or `inapplicable`.
    """

    code: str
    title: str
    kind: Kind
    look: Callable[[Check, Evidence], Finding]

    def run(self, evidence: Evidence) -> Finding:
        return self.look(self, evidence)

    def found(
        self,
        message: str,
        *,
        severity: Severity,
        remedy: str = "",
        kind: Kind | None = None,
        rows: Sequence[int] = (),
        groups: Sequence[RowGroup] = (),
        evidence: dict[str, Any] | None = None,
    ) -> Finding:
        """The finding holds. Groups past the first 200 are counted, not listed; ``rows`` is complete."""
        return Finding(
            self.code,
            self.title,
            "found",
            kind or self.kind,
            severity,
            sentence(message),
            sentence(remedy),
            tuple(sorted(set(rows))),
            tuple(groups[:SHOWN]),
            max(0, len(groups) - SHOWN),
            evidence or {},
        )

    def _without(self, status: Status, message: str) -> Finding:
        return Finding(self.code, self.title, status, self.kind, "info", sentence(message))

    def nothing(self, message: str) -> Finding:
        """It was looked for and is not there."""
        return self._without("not found", message)

    def unsaid(self, message: str) -> Finding:
        """The rows don't decide it."""
        return self._without("cannot say", message)

    def inapplicable(self, message: str) -> Finding:
        """The question makes no sense here, or can't be asked of this model."""
        return self._without("not applicable", message)


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def span(rung: Rung) -> str:
    """ ".812 [.790, .833]"."""
    if rung.accuracy is None or rung.low is None or rung.high is None:
        return "no number"
    return f"{number(rung.accuracy)} [{number(rung.low)}, {number(rung.high)}]"


def against(rung: Rung, target: float) -> str:
    """Where a rung's interval lies: "shown" (all of it at or above the target), "likely", "unlikely", "below"."""
    if rung.accuracy is None or rung.low is None or rung.high is None:
        return "missing"
    if rung.low >= target:
        return "shown"
    if rung.high < target:
        return "below"
    return "likely" if rung.accuracy >= target else "unlikely"


def plural(count: int, noun: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
