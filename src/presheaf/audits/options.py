"""How audits are run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from presheaf.audits.defaults import PROMPT_ROWS, SHOTS
from presheaf.audits.preview import Preview
from presheaf.audits.prompting_trial import PromptingOptions
from presheaf.audits.prompts import UserPrompts
from presheaf.audits.rungs import fine_tuned
from presheaf.errors import one_of
from presheaf.models.cache import FeatureCache

OnProgress = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""
OnPreview = Callable[[Preview], object]


@dataclass(frozen=True, eq=False)
class Options:
    """How audits are run; every value is printed in the report's settings or changes nothing in it.

    ``ask``: whether a language model climbs the rungs that only it has (they take most of the time).
    """

    target: float | None = None
    user: UserPrompts = field(default_factory=UserPrompts)
    seed: int = 0
    cache: FeatureCache | None = None
    progress: OnProgress | None = None
    on_preview: OnPreview | None = None
    baseline: bool = True
    why: bool = False
    shots: tuple[int, ...] = SHOTS
    prompt_rows: int = PROMPT_ROWS
    tune: bool = True
    fine_tune: str | None = None
    ask: bool = True

    def __post_init__(self) -> None:
        if self.fine_tune is not None:
            one_of("fine_tune", self.fine_tune, tuple(fine_tuned.NAMES))

    @property
    def prompting(self) -> PromptingOptions:
        """What concerns prompts of a language model."""
        folder = None if self.cache is None else self.cache.root
        return PromptingOptions(self.user, self.shots, self.prompt_rows, self.seed, folder, self.progress, self.tune)

    def said(self, stage: str) -> Callable[[int, int], object] | None:
        if self.progress is None:
            return None
        progress = self.progress
        return lambda done, total: progress(stage, done, total)

    def language_settings(self) -> dict[str, Any]:
        """What concerns a language model only, as the report's settings name it."""
        return {
            "shots": list(self.shots),
            "prompt_rows": self.prompt_rows,
            "tuned_soft_prompt": self.tune,
            "fine_tune": self.fine_tune,
        }
