"""Reads every table of a lake with Spark, now and at each snapshot, into Parquet files. An interpreter with pyspark runs it.

`PYTHON spark_reader.py URI WAREHOUSE JARS OUT [KEY=VALUE...]`: the JDBC URI of the catalog, jars with commas, further settings of Spark.
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

CATALOG = "spark.sql.catalog.crawlhouse"


def session(uri: str, warehouse: str, jars: str, *others: str):  # type: ignore[no-untyped-def]
    """A session of Spark that has the lake's catalog."""
    given = {
        "spark.jars": jars,
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        CATALOG: "org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOG}.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        f"{CATALOG}.uri": uri,
        f"{CATALOG}.jdbc.schema-version": "V1",
        f"{CATALOG}.warehouse": warehouse,
        **dict(one.split("=", 1) for one in others),
    }
    builder = SparkSession.builder.master("local[1]")
    for key, value in given.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def main() -> None:
    """Write OUT/TABLE.parquet, OUT/TABLE@SNAPSHOT.parquet, and `published.parquet`: articles by the documented predicate."""
    uri, warehouse, jars, out, *others = sys.argv[1:]
    spark = session(uri, warehouse, jars, *others)
    space = "crawlhouse.crawlhouse"
    for row in spark.sql(f"SHOW TABLES IN {space}").collect():
        name = f"{space}.{row.tableName}"
        _write(spark.table(name), Path(out, row.tableName))
        for (snapshot,) in spark.sql(f"SELECT snapshot_id FROM {name}.snapshots").collect():
            _write(spark.sql(f"SELECT * FROM {name} VERSION AS OF {snapshot}"), Path(out, f"{row.tableName}@{snapshot}"))
    published = f"SELECT * FROM {space}.articles WHERE process_run IN (SELECT process_run FROM {space}.runs)"
    _write(spark.sql(published), Path(out, "published"))
    texts = f"""SELECT url, transform(blocks, b -> coalesce(b.text, substring(text, b.start + 1, b.end - b.start))) AS texts
        FROM {space}.articles"""
    _write(spark.sql(texts), Path(out, "texts"))
    spark.stop()


def _write(frame, path: Path) -> None:  # type: ignore[no-untyped-def]
    frame.coalesce(1).write.parquet(f"{path}.parquet")


if __name__ == "__main__":
    main()
