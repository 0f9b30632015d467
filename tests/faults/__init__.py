"""Faults planted on purpose: each kind counted, with what was lost, what went unnoticed, what ended in a traceback."""
