"""The method: land use, weights, allocation, indices and zones; quantities in, quantities out, no files."""
