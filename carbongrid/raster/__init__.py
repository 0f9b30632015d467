"""The engine: polygons and rasters in, labels, overlaps and exact sums out; it knows nothing of carbon."""
