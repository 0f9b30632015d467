"""Settings of the documentation; ``nox -s docs`` builds it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import carbongrid

project = "carbongrid"
author = "The carbongrid developers"
release = version = carbongrid.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
# .rst first: autosummary writes its pages, which are reStructuredText, with the first suffix.
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
# The notebook is run at every build; what fails in it fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600

autosummary_generate = True
autodoc_typehints = "none"  # the signature says them
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False
# docs/tutorial.md and others name the language of a block and the file that it is saved as.
suppress_warnings = ["misc.highlighting_failure"]

html_math_renderer = "mathml"  # browsers know it: no script, no network
html_theme = "pydata_sphinx_theme"
html_title = "carbongrid"
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "logo": {"text": "carbongrid"},
    "header_links_before_dropdown": 6,
}
# Pages beside no others of a section had its heading over nothing.
html_sidebars = {"*": []}
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False


_SPACED = "text-align: center; padding: 0.8em 0; font-size: 1.15em"
_TAG = re.compile(r"\\tag\{(\w+)\}")


def _inline(translator: Any, node: nodes.Node) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Node) -> None:
    text = node.astext()
    number = _TAG.search(text)
    told = f'<span style="float: right">({number[1]})</span>' if number else ""
    formula = tex2mathml(_TAG.sub("", text).strip(), as_block=True)
    translator.body.append(f'<div style="{_SPACED}">{told}{formula}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Render formulas as MathML."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
