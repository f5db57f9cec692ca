"""Benchmarks: one script a question. The rules they keep are in README.md."""
