"""Views of images: random crops, flips, colour and blur, by kornia, drawn from torch's global generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from presheaf.errors import InputError
from presheaf.models.optional import need

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

SHARE = 0.8
"""Of views whose brightness, contrast and colour are changed (Chen et al. 2020)."""
GREY = 0.2
"""Of colour views that lose their colour (the same)."""


@dataclass(frozen=True)
class Views:
    """How a view is drawn from an image.

    Attributes
    ----------
    crop : float
        Least share of the area that a crop keeps, in (0, 1], before it is scaled back to the image's size; 1 crops nothing.
        Photographs bear 0.08 (Chen et al. 2020), digits of 8 x 8 pixels about 0.4.
    flip : bool
        Whether half of the views are mirrored left to right; wrong for letters and digits.
    jitter : float
        Strength s >= 0 of changed brightness and contrast (each by a factor within 1 +- 0.8 s), and for colour images of
        saturation (the same) and hue (0.2 s of the circle either way); 0 changes nothing.
    blur : float
        Share of views that are blurred by a Gaussian, 3 x 3 pixels, of deviation 0.1 to 1.

    Raises
    ------
    InputError
        A number out of its range.
    """

    crop: float = 0.4
    flip: bool = False
    jitter: float = 0.5
    blur: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise InputError(f"'crop' must lie in (0, 1], the least share of the area that is kept; got {self.crop!r}.")
        if not 0 <= self.jitter <= 1.25:
            raise InputError(
                f"'jitter' must lie in [0, 1.25], where factors of brightness are >= 0; got {self.jitter!r}."
            )
        if not 0 <= self.blur <= 1:
            raise InputError(f"'blur' must lie in [0, 1], the share of views that are blurred; got {self.blur!r}.")

    def of(self, images: Tensor) -> Tensor:
        """One view of each image.

        Parameters
        ----------
        images : float tensor of shape (n, channels, height, width) in [0, 1], 1 or 3 channels

        Returns
        -------
        Tensor
            The same shape, in [0, 1]; each image with draws of its own. Cost: some passes over the pixels.

        Raises
        ------
        MissingDependencyError
            If kornia is not installed.
        """
        import torch

        out: Tensor = torch.nn.Sequential(*self._steps(images))(images) if len(images) else images
        return out.clamp(0, 1)

    def _steps(self, images: Tensor) -> list[Module]:
        by = need("kornia.augmentation", "pretext", "A contrastive task that draws views of images")
        colour, size, s = images.shape[1] == 3, tuple(images.shape[2:]), self.jitter
        steps = []
        if self.crop < 1:
            steps.append(by.RandomResizedCrop(size, scale=(self.crop, 1.0), cropping_mode="resample"))
        if self.flip:
            steps.append(by.RandomHorizontalFlip(p=0.5))
        if s > 0:
            tints = (0.8 * s, 0.2 * s) if colour else (0.0, 0.0)
            steps.append(by.ColorJitter(0.8 * s, 0.8 * s, *tints, p=SHARE))
            if colour:
                steps.append(by.RandomGrayscale(p=GREY))
        if self.blur > 0:
            steps.append(by.RandomGaussianBlur((3, 3), (0.1, 1.0), p=self.blur))
        return steps
