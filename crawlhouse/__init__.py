"""THE FACE: the `crawlhouse` command, the Python door, the local stack and the Airflow pages."""
