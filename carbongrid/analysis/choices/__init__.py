"""Which zones hold under every defensible reading of the method, and which choices decide the rest."""
