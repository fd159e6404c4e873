"""Builds the compiled core. It is optional: without it the twins in aetherops/core/_pure run.

AETHEROPS_REQUIRE_NATIVE=1   a core that cannot be compiled is an error
AETHEROPS_DISABLE_NATIVE=1   no core is compiled
AETHEROPS_NATIVE_CFLAGS      further compiler and linker flags (sanitizers, -O0)
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.editable_wheel import editable_wheel

NATIVE = "aetherops.core._native"
SOURCES = Path("ext/aetherops/core/_native")
# The list of compiled modules is the folder: <a>/<b>.pyx becomes aetherops.core._native.<a>.<b>.
KERNELS = sorted(SOURCES.rglob("*.pyx"))
# Contracted or reordered operations would change the last bit (docs/numerics.md).
FLAGS = [
    "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-strict-aliasing",
    "-Wno-psabi",
    "-g0",  # without the debug information that Python asks for, a wheel is a quarter of the size
]


def is_set(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def extensions() -> list[Extension]:
    required, disabled = is_set("AETHEROPS_REQUIRE_NATIVE"), is_set("AETHEROPS_DISABLE_NATIVE")
    if required and disabled:
        sys.exit("AETHEROPS_REQUIRE_NATIVE and AETHEROPS_DISABLE_NATIVE contradict each other")
    if disabled:
        return []
    from Cython.Build import cythonize

    further = os.environ.get("AETHEROPS_NATIVE_CFLAGS", "").split()
    headers = [str(path) for path in sorted(SOURCES.rglob("*.h"))]
    modules = [
        Extension(
            ".".join((NATIVE, *path.relative_to(SOURCES).with_suffix("").parts)),
            [str(path)],
            depends=headers,
            include_dirs=[str(path.parent), str(SOURCES)],
            extra_compile_args=FLAGS + further,
            extra_link_args=further,
        )
        for path in KERNELS
    ]
    return cythonize(
        modules,
        include_path=["ext"],
        build_dir="build",
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "embedsignature": False,  # `inspect` reads them; help() shows the prose alone
        },
    )


class BuildWholeCoreOrNone(build_ext):
    """A core that compiles only in part is removed: the twins are chosen all together."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:
            if is_set("AETHEROPS_REQUIRE_NATIVE"):
                raise
            self.remove_built()
            self.extensions = []
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            sys.stderr.write(f"aetherops: built without its compiled core ({reason})\n")

    def remove_built(self) -> None:
        for extension in self.extensions:
            for built in (self.get_ext_fullpath(extension.name), self.in_build_lib(extension.name)):
                Path(built).unlink(missing_ok=True)
        shutil.rmtree(self.build_temp, ignore_errors=True)

    def in_build_lib(self, name: str) -> str:
        return str(Path(self.build_lib) / self.get_ext_filename(name))


class EditableByPath(editable_wheel):
    """An editable install is this directory on the path: type checkers follow no import hooks."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.mode = "compat"


setup(
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildWholeCoreOrNone, "editable_wheel": EditableByPath},
)
