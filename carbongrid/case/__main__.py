"""``python -m carbongrid.case`` prints docs/case.md."""

from __future__ import annotations

import sys

from carbongrid.case.reference import case_reference

if __name__ == "__main__":
    sys.stdout.buffer.write(case_reference().encode())
