"""What others have published of the units, as a table or as rasters of emission: read, and brought to units and cells."""
