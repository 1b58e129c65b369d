# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package's tests: of the installed code, of threads and of a temporary file."""
import concurrent.futures
import sys
import tempfile
import unittest

import word_count


class CountTest(unittest.TestCase):
    def test_is_installed_in_the_environment(self):
        self.assertIn("/venv/", word_count.__file__)
        self.assertNotEqual(sys.prefix, sys.base_prefix)

    def test_counts_in_threads(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(word_count.count, [["a"], ["", "b"], []])), [1, 1, 0])

    def test_counts_a_file(self):
        with tempfile.TemporaryFile("w+") as file:
            file.write("one two\nthree")
            file.seek(0)
            self.assertEqual(word_count.count(file.read().split()), 3)
