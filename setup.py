"""The compiled kernel. All else is in pyproject.toml; without a C compiler the numpy path gives the same answers."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "presheaf.finite.columns._kernel",
            ["src/presheaf/finite/columns/_kernel.c"],
            extra_compile_args=["-O3", "-std=c11"],
            optional=True,
        )
    ]
)
