"""Whether the pattern survives another ruler: fine cells, coarse grids, larger units."""
