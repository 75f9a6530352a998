"""The trail covered by checkpoints, asked, exported, proved and kept as long as it must be."""
