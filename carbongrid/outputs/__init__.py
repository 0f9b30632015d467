"""What a run shows: tables, rasters, figures, the report."""
