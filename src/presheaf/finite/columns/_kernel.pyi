import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

class Engine:
    def __new__(
        cls,
        kind: int,
        fill: int,
        deduce: int,
        objects: int,
        src: I32,
        dst: I32,
        inverse: I32,
        offsets: I32,
        letters: I32,
        relators: int,
        unit_objects: I32,
        /,
    ) -> Engine: ...
    def identify(self, start: I32, end: I32, word: I32, max_rows: int, max_bytes: int, /) -> int: ...
    def run(self, max_rows: int, max_bytes: int, seconds: float, /) -> int: ...
    def counts(self) -> tuple[int, int, int, int, int]: ...
    def compact(self) -> list[int]: ...
    def export(self, columns: list[I32], unit: I32, /) -> None: ...

def unite(parent: I32, a: I32, b: I32, /) -> None: ...
def label(parent: I32, first: I32, /) -> int: ...
def bfs(
    sizes: I64,
    src: I32,
    dst: I32,
    columns: list[I32],
    unit_objects: I32,
    units: I32,
    order: I32,
    parent: I32,
    letter: I32,
    /,
) -> int: ...
def bucket(keys: I32, first: I64, order: I32, rank: I32, /) -> None: ...
def offsets(keys: I32, first: I64, offsets: I64, /) -> None: ...
def expand(keys: I32, offsets: I64, first: I64, order: I32, left: I32, right: I32, /) -> None: ...
