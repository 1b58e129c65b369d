# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts words."""
import sys


def count(words):
    return sum(1 for word in words if word)


def main():
    print(count(sys.argv[1:]), "words")
