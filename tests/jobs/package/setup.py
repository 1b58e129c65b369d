# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small package, for the suite to install and test inside a sandbox."""
from setuptools import setup

setup(
    name="word-count",
    version="1.0",
    packages=["word_count"],
    entry_points={"console_scripts": ["word-count = word_count:main"]},
)
