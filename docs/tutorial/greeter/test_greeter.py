import unittest

from greeter import count, greet


class GreeterTest(unittest.TestCase):
    def test_greets_by_name(self):
        self.assertEqual(greet("Ada"), "Hello, Ada!")

    def test_counts_items(self):
        self.assertEqual(count(["a", "b"]), "2 items")
