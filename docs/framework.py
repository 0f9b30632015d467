"""Draw Fig. 2, the framework, for these pages: ``python docs/framework.py`` writes images/framework.svg and images/framework-zh.svg."""

from __future__ import annotations

from pathlib import Path

from carbongrid.outputs.figures.framework import framework_svg

IMAGES = Path(__file__).resolve().parent / "images"


def pictures() -> dict[str, str]:
    """Return the drawings by the names of their files."""
    return {"framework.svg": framework_svg("en"), "framework-zh.svg": framework_svg("zh")}


def main() -> None:
    """Draw the pictures again."""
    for name, text in pictures().items():
        (IMAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
