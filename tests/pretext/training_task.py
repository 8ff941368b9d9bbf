"""A small task and small data for the tests of the trainer; as a program, a run that its caller may kill."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from presheaf.pretext import Data, Plan, make_data


@dataclass(frozen=True)
class Denoise:
    """Tell an image's mean and one of its pixels from a noisy copy: draws, a buffer that counts steps, batches that matter."""

    noise: float = 0.2
    width: int = 12
    breaks_at: int = -1
    name = "denoise"
    media = "image"

    @property
    def options(self) -> dict[str, Any]:
        return {"noise": self.noise, "width": self.width, "breaks_at": self.breaks_at}

    def network(self, data: Data) -> Any:
        from torch import nn, tensor

        size = int(np.prod(data.train.shape[1:]))
        network = nn.Sequential(nn.Linear(size, self.width), nn.Tanh(), nn.Linear(self.width, 2))
        network.register_buffer("steps", tensor(0))
        return network

    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        import torch

        images = torch.from_numpy(data.train[rows.cpu().numpy()].reshape(len(rows), -1) / 255).float()
        wanted = torch.stack([images.mean(dim=1), images[:, 0]], dim=1)
        loss = (network(images + self.noise * torch.randn_like(images)) - wanted).square().mean()
        return loss * float("nan") if int(network.steps) == self.breaks_at else loss

    def after_step(self, network: Any) -> None:
        network.steps += 1


def pictures(n: int = 40) -> Data:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (n + 8, 4, 4, 1), dtype=np.uint8)
    return make_data("noise", "image", images[:n], images[n:])


PLAN = Plan(steps=24, batch_size=16, learning_rate=0.01, warmup=4, seed=3, checkpoint_every=4)


if __name__ == "__main__":
    import time

    from presheaf.pretext import train

    def told(step: int, *_: object) -> None:
        print(step, flush=True)
        time.sleep(0.01)

    train(Denoise(), pictures(), sys.argv[1], PLAN, told)
