"""Where cases come from: the synthetic city, an OpenStreetMap extract."""
