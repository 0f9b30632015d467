"""Which units emit more than their part, and who would pay whom for it."""
