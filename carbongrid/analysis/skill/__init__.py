"""How well the proxies of a run would have placed what is known."""
