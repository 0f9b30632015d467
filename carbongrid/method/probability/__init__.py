"""How sure zones are: what a run has on its land, what of it is uncertain, and draws of both."""
