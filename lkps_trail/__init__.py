"""The trail's format: canonical rows, the Merkle tree over them, signed checkpoints, proofs.

Pure, and without a dependency: the service writes with it, and whoever holds an export verifies
with it, on a machine that has nothing else of LKPS.
"""
