"""The one step of a build that pyproject.toml cannot say: a wheel also holds the trained networks
and the records, where `vsodlib.provenance.bundled` finds them without the repository.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithRecords(build_py):
    def run(self) -> None:
        package = Path(self.build_lib, "vsodlib")
        if not self.editable_mode:
            shutil.rmtree(package, ignore_errors=True)  # modules of an older build
        super().run()
        for folder in () if self.editable_mode else ("checkpoints", "results"):
            shutil.copytree(Path(__file__).parent / folder, package / "bundled" / folder)


setup(cmdclass={"build_py": BuildWithRecords})
