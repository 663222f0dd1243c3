"""The command `crawlhouse`: the list of all subcommands. Their options are in `crawlhouse.commands`, their work in `crawlhouse.actions`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_name
from typer.models import CommandInfo

from crawlhouse.commands import adopt as adoptcommand
from crawlhouse.commands import airflow_setup as airflowsetup
from crawlhouse.commands import backup as backupcommand
from crawlhouse.commands import check as checkcommand
from crawlhouse.commands import crawl as crawlcommand
from crawlhouse.commands import explain as explaincommand
from crawlhouse.commands import extract as extractcommand
from crawlhouse.commands import fetch as fetchcommand
from crawlhouse.commands import frontier as frontiercommand
from crawlhouse.commands import init as initcommand
from crawlhouse.commands import names as crawlnames
from crawlhouse.commands import plugins as pluginscommand
from crawlhouse.commands import runs as runscommand
from crawlhouse.commands import stack as stackcommand
from crawlhouse.commands import stop as stopcommand
from crawlhouse.commands import upgrade as upgradecommand
from crawlhouse.commands.lake import again as againcommand
from crawlhouse.commands.lake import changes as changescommand
from crawlhouse.commands.lake import erase as erasecommand
from crawlhouse.commands.lake import export as exportcommand
from crawlhouse.commands.lake import gate as gatecommand
from crawlhouse.commands.lake import index as indexcommand
from crawlhouse.commands.lake import quarantine as quarantinecommand
from crawlhouse.commands.lake import query as querycommand
from crawlhouse.commands.lake import retention as retentioncommand
from crawlhouse.commands.lake import show as showcommand
from crawlhouse.commands.lake import tables as tablescommand
from crawlhouse.commands.lake import takedown as takedowncommand
from crawlhouse.commands.monitor import notify as notifycommand
from crawlhouse.commands.monitor import report as reportcommand
from crawlhouse.output.console import prepare_output
from crawlhouse.output.failures import exit_code_of
from schemas.printable import printable

COMPLETION = "_CRAWLHOUSE_COMPLETE"  # set when a shell asks how a command line may go on
EPILOG = """
A crawl is a YAML file in crawls/. Where things are kept is in the environment: CRAWLHOUSE_HOME, CRAWLHOUSE_STORE, CRAWLHOUSE_DATABASE.

Exit codes: 0 done, 2 wrong configuration or use, 3 not found, 4 store or database does not answer, 5 disk full or data damaged,
6 held by something else or of another version, 7 accounting, 8 rows held back, 9 the crawl's own thresholds,
10 a spider of your own, 11 a query's time limit, 130 interrupted.
"""


class PrintableGroup(TyperGroup):
    """All commands, those of installed packages last. A usage error repeats text of the command line; that text is made printable."""

    def list_commands(self, ctx: Any) -> list[str]:  # Any: Typer's own context
        """The names of crawlhouse's own commands, then those of packages."""
        from crawlhouse.actions.plugin_commands import names_of_commands

        own = super().list_commands(ctx)
        return [*own, *names_of_commands(own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # Any: as above, and Typer's own command
        """The command of a name: crawlhouse's own, else that of a package, which is imported now."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        from crawlhouse.actions.plugin_commands import command_of

        return command_of(cmd_name)

    def make_context(self, *given: Any, **more: Any) -> Any:  # Any: Typer's own arguments
        """The context of the options before a command."""
        with _printable_errors():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:  # Any: Typer's own context, and what a command returns
        """Run the command that the arguments name."""
        with _printable_errors():
            return super().invoke(ctx)


@contextmanager
def _printable_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if format_message := getattr(error, "format_message", None):  # Typer's usage errors have it
            message = printable(format_message())
            error.format_message = lambda: message  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    name="crawlhouse",
    cls=PrintableGroup,
    help="Turn web sites into validated, queryable Parquet.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

START, CRAWLS, CONTROL = "Start here", "Crawl and process", "Control by hand"
AIRFLOW, DATA = "Airflow on this machine", "Look at the data"
app.command(epilog=initcommand.EXAMPLES, rich_help_panel=START)(initcommand.init)
app.command(epilog=stackcommand.DEMO_EXAMPLES, rich_help_panel=START)(stackcommand.demo)
app.command(epilog=upgradecommand.EXAMPLES, rich_help_panel=START)(upgradecommand.upgrade)
app.command(epilog=runscommand.DOCTOR_EXAMPLES, rich_help_panel=START)(runscommand.doctor)
app.command(epilog=checkcommand.EXAMPLES, rich_help_panel=CRAWLS)(checkcommand.check)
app.command(epilog=checkcommand.SCHEMA_EXAMPLES, rich_help_panel=CRAWLS)(checkcommand.schema)
app.command(epilog=crawlcommand.CRAWL_EXAMPLES, rich_help_panel=CRAWLS)(crawlcommand.crawl)
app.command(epilog=fetchcommand.EXAMPLES, rich_help_panel=CRAWLS)(fetchcommand.fetch)
app.command(epilog=crawlcommand.PROCESS_EXAMPLES, rich_help_panel=CRAWLS)(crawlcommand.process)
app.command(epilog=adoptcommand.EXAMPLES, rich_help_panel=CRAWLS)(adoptcommand.adopt)
app.command(epilog=againcommand.REPROCESS_EXAMPLES, rich_help_panel=CRAWLS)(againcommand.reprocess)
app.command(epilog=extractcommand.EXAMPLES, rich_help_panel=CRAWLS)(extractcommand.extract)
app.command(epilog=runscommand.RUNS_EXAMPLES, rich_help_panel=CRAWLS)(runscommand.runs)
app.command(epilog=reportcommand.EXAMPLES, rich_help_panel=CRAWLS)(reportcommand.report)
app.command(epilog=querycommand.EXAMPLES, rich_help_panel=DATA)(querycommand.query)
app.command(epilog=tablescommand.EXAMPLES, rich_help_panel=DATA)(tablescommand.tables)
app.command(epilog=changescommand.EXAMPLES, rich_help_panel=DATA)(changescommand.changes)
app.command(epilog=exportcommand.EXAMPLES, rich_help_panel=DATA)(exportcommand.export)
app.command(epilog=showcommand.EXAMPLES, rich_help_panel=DATA)(showcommand.show)
app.command(epilog=stackcommand.UP_EXAMPLES, rich_help_panel=AIRFLOW)(stackcommand.up)
app.command(epilog=stackcommand.STATUS_EXAMPLES, rich_help_panel=AIRFLOW)(stackcommand.status)
app.command(epilog=stackcommand.DOWN_EXAMPLES, rich_help_panel=AIRFLOW)(stackcommand.down)
app.command(epilog=airflowsetup.EXAMPLES, rich_help_panel=AIRFLOW)(airflowsetup.airflow_setup)
app.command(epilog=backupcommand.BACKUP_EXAMPLES, rich_help_panel=CONTROL)(backupcommand.backup)
app.command(epilog=backupcommand.RESTORE_EXAMPLES, rich_help_panel=CONTROL)(backupcommand.restore)
app.command(epilog=explaincommand.EXAMPLES, rich_help_panel=CONTROL)(explaincommand.explain)
app.add_typer(frontiercommand.app, rich_help_panel=CONTROL)
app.add_typer(gatecommand.app, rich_help_panel=CONTROL)
app.add_typer(indexcommand.app, rich_help_panel=CONTROL)
app.add_typer(notifycommand.app, rich_help_panel=CONTROL)
app.add_typer(quarantinecommand.app, rich_help_panel=CONTROL)
app.command(epilog=againcommand.ROLLBACK_EXAMPLES, rich_help_panel=CONTROL)(againcommand.rollback)
app.command(epilog=retentioncommand.EXAMPLES, rich_help_panel=CONTROL)(retentioncommand.retention)
app.add_typer(takedowncommand.app, rich_help_panel=CONTROL)
app.command(epilog=erasecommand.EXAMPLES, rich_help_panel=CONTROL)(erasecommand.erase)
app.command(epilog=pluginscommand.EXAMPLES, rich_help_panel=CONTROL)(pluginscommand.plugins)
app.command(epilog=stopcommand.EXAMPLES, rich_help_panel=CONTROL)(stopcommand.stop)
app.command(epilog=crawlnames.RENAME_EXAMPLES, rich_help_panel=CONTROL)(crawlnames.rename)
app.command(epilog=crawlnames.DELETE_EXAMPLES, rich_help_panel=CONTROL)(crawlnames.delete)


def _print_version(wanted: bool) -> None:
    if wanted:
        from runtime.code_version import code_version

        typer.echo(f"crawlhouse {code_version()}")
        raise typer.Exit


@app.callback()
def crawlhouse(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Turn web sites into validated, queryable Parquet."""


def main() -> None:
    """Run the command line. It ends the process with the command's exit code."""
    signal.signal(signal.SIGTERM, _end)
    prepare_output()
    sys.exit(exit_code_of(app if COMPLETION in os.environ else _app_for(sys.argv[1:])))


def _app_for(arguments: Sequence[str]) -> typer.Typer:
    """The application with the one command that the arguments name first, or with all: making all takes Typer .05 CPU seconds.

    `plugins` compares the commands of packages with all of ours.
    """
    chosen = [one for one in app.registered_commands if one.callback and arguments and _name(one) == arguments[0]]
    if not chosen or arguments[0] == "plugins":
        return app
    narrowed = copy(app)
    narrowed.registered_commands, narrowed.registered_groups = chosen, []
    return narrowed


def _name(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _end(number: int, _frame: FrameType | None) -> None:
    """Turn SIGTERM into an exception, so that a command can end the processes that it started."""
    raise SystemExit(128 + number)
