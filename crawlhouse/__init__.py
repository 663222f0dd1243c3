"""THE FACE: the `crawlhouse` command, the Python door, the local stack and the Airflow pages.

`crawlhouse.open()` opens the lake for reading: see `crawlhouse.house.House`.
"""

from crawlhouse.house import House
from crawlhouse.house import open_house as open  # noqa: A004 the door is called crawlhouse.open()
from crawlhouse.rows import Rows
from schemas.moved import keep_former_names

__all__ = ["House", "Rows", "open"]

keep_former_names()
