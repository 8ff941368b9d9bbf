"""What was run, beside what the plain loop would have run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Tokens that went through a network.

    Attributes
    ----------
    tokens : int
        Really run, the self-checks of the source counted.
    tokens_plain : int
        What one forward pass for each (prompt, answer) would have run.
    seconds : float
        Wall time spent running them, turning text into tokens left out.
    """

    tokens: int = 0
    tokens_plain: int = 0
    seconds: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.tokens + other.tokens, self.tokens_plain + other.tokens_plain, self.seconds + other.seconds)

    def __sub__(self, other: Work) -> Work:
        return Work(self.tokens - other.tokens, self.tokens_plain - other.tokens_plain, self.seconds - other.seconds)

    @property
    def shared(self) -> float:
        """How many times fewer tokens were run than by the plain loop; 1 when nothing was run."""
        return self.tokens_plain / self.tokens if self.tokens else 1.0
