"""What a finished run is asked: how sure its zones are, and what would change them."""
