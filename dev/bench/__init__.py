"""Benchmarks: LKPS beside its references, in one run, as ratios."""
