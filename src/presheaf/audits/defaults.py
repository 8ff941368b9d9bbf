"""How a language model is prompted unless told otherwise. Imports nothing: the command line's help reads it."""

from typing import Final

SHOTS: Final = (0, 1, 2, 4, 8)
"""Numbers of labelled examples in the prompt."""
PROMPT_ROWS: Final = 100
"""Most rows of each half that every prompt is tried on."""
