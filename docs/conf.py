"""The site's settings. Its sources are the repository: README, notebooks, docstrings, and the pages here."""

import sys
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

import gpu_sigmoid

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

project = "gpu_sigmoid"
author = "the gpu_sigmoid authors"
copyright = f"2026, {author}"
version = release = gpu_sigmoid.__version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx_click"]
root_doc = "docs/index"
include_patterns = [
    *("docs/**", "notebooks/*.ipynb", "bench/results/*.md", "tests/emulated_gpu/README.md"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md"),
]
exclude_patterns = ["docs/_build"]
nitpicky = True

# notebooks come executed; .ci/run executes them
nb_execution_mode = "off"
nb_merge_streams = True
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
# browsers show MathML by themselves: a page loads nothing from elsewhere
html_math_renderer = "mathml"
suppress_warnings = ["myst.header"]
# what stands between backticks in docstrings is code
default_role = "literal"
# text from docstrings is as it stands there
smartquotes = False

autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_validation_checks = {"PR01", "PR02", "PR04", "PR06", "RT01", "SS01", "SS05", "EX01"}
# whose parameters are those of torch's own
numpydoc_validation_exclude = {r"gpu_sigmoid\.torch\."}

html_theme = "furo"
html_title = f"gpu_sigmoid {version}"
html_copy_source = False
html_show_sourcelink = False


def setup(app: Any) -> None:
    app.add_html_math_renderer("mathml", inline_renderers=(mathml, None), block_renderers=(mathml, None))
    app.connect("builder-inited", lambda app: generate.write(HERE / "generated"))
    app.connect("build-finished", redirect)


def mathml(translator: Any, node: Any) -> None:
    translator.body.append(tex2mathml(node.astext(), as_block=node.tagname == "math_block"))
    raise SkipNode


def redirect(app: Any, error: Exception | None) -> None:
    """Lead from the site's address to its first page."""
    if error is None and app.builder.name == "html":
        page = '<!doctype html><meta http-equiv="refresh" content="0; url=docs/index.html">\n'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")
