"""What would lift units to a zone: each by itself, and all at once within limits."""
