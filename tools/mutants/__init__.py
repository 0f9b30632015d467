"""``nox -s mutants``: plant faults in copies of the package, run the tests of the changed module, and count who notices."""
