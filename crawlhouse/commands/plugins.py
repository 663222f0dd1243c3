"""`crawlhouse plugins`: what installed packages add."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat

EXAMPLES = """
Examples:

  crawlhouse plugins

  crawlhouse plugins --format json
"""


def plugins(
    context: typer.Context,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """List the datasets, steps and commands of installed packages, and try each. Exit code 2 if one of them cannot be loaded.

    docs/plugins.md says how a package adds some.
    """
    from crawlhouse.actions.plugins import list_plugins

    list_plugins(form, getattr(context.find_root().command, "commands", ()))
