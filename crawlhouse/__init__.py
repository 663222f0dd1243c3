"""User interface: the command `crawlhouse`, the Python API, the local Airflow and crawlhouse's pages in its UI.

`crawlhouse.open()` opens the lake for reading and returns a `crawlhouse.house.House`. `crawlhouse.command` is the command: `commands` has
the options of each subcommand, `actions` what it does, `reports` what it reports, and `output` prints it.
"""

from crawlhouse.house import House
from crawlhouse.house import open_house as open  # noqa: A004 the function is called crawlhouse.open()
from crawlhouse.rows import Rows
from schemas.moved import keep_former_names

__all__ = ["House", "Rows", "open"]

keep_former_names()
