"""A second implementation of the method, slow and obvious, that shares no code with the package."""
