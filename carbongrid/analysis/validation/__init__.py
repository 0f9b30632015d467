"""How far a run agrees with what others have published."""
