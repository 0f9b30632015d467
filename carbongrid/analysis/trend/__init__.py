"""What changed between runs of several years, and through what."""
