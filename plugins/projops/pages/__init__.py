"""What all pages share that people read: one look, no scripts, nothing from elsewhere, all text escaped."""

from functools import lru_cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from projops.pages.wording import FILTERS

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with a page: show it with the styles that it carries."""


@lru_cache
def environment(package: str, folder: str) -> Environment:
    """Give the templates of a package, which may extend `base.html.j2`; whatever a filter gives is escaped.

    Args:
        package: Name of the package.
        folder: Folder of the templates in it.
    """
    own = PackageLoader(package, folder)
    made = Environment(
        loader=ChoiceLoader([own, PackageLoader(__name__, ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    made.globals.update(policy=POLICY)
    made.filters.update(FILTERS)
    return made
