"""Benchmarks of the engine: ``asv run``, and ``python benchmarks/peers.py`` for ratios to other tools."""
