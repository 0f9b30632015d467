"""How unequally emission and sink are held, and whether like units lie side by side."""
