"""The views NAME_latest: the last version of each row of a dataset's table, with when it was last seen and since when it is gone."""

from __future__ import annotations

# Finds the row that was fetched last by narrow columns: sorting whole rows would hold all texts in memory. The numbers of versions are in
# the order of publishing: a row of an old capture that is published later, for example out of quarantine, has a higher number.
# An ANTI JOIN with a later row of the same key was measured: by URL .7-.9 instead of 1.4 CPU s at 1,000,000 articles, but by key .6 instead
# of .3, and it compares the rows of one key in pairs: 43 s instead of .02 for 40,000 equal ones.
LATEST = """
SELECT "{name}".*, "{name}".fetched_at AS last_seen, CAST(NULL AS TIMESTAMPTZ) AS gone_at FROM "{name}" SEMI JOIN (
  SELECT {key}, unnest(max(struct_pack(fetched_at := fetched_at, version := version, sequence := sequence))) FROM "{name}" GROUP BY {key}
) USING ({key}, fetched_at, version, sequence)
"""
# The newest version and the sightings of each key are one narrow table, which the whole rows are joined with. Another join of the whole
# rows with the sightings would hold all texts in memory: DuckDB keeps the side of a join that it expects to be smaller.
SIGHTED = """
SELECT "{name}".*, {seen} AS last_seen, CASE WHEN missed_at > {seen} THEN missed_at END AS gone_at FROM "{name}" JOIN (
  SELECT {key}, unnest(max(CASE WHEN version IS NOT NULL THEN
      struct_pack(fetched_at := fetched_at, version := version, sequence := sequence) END)),
    max(seen_at) AS sighted_at, max(missed_at) AS missed_at
  FROM (
    SELECT {key}, fetched_at, version, sequence, NULL AS seen_at, NULL AS missed_at FROM "{name}"
    UNION ALL SELECT row_id, NULL, NULL, NULL, seen_at, gone_at FROM sightings WHERE dataset = '{name}'
  ) GROUP BY {key}
) USING ({key}, fetched_at, version, sequence)
"""
SEEN = 'greatest("{name}".fetched_at, sighted_at)'  # it passes over NULL
KEYS = {"articles": "article_id"}
ROW_KEY = "row_id"  # of all other tables


def latest_sql(name: str, *, has_sightings: bool) -> str:
    """The SQL of the view of a table.

    `last_seen` is when the row's page was last read and still had it. A row is gone as long as it was missed after that.
    """
    values = {"name": name, "key": KEYS.get(name, ROW_KEY)}
    if not has_sightings:
        return LATEST.format(**values)
    return SIGHTED.format(**values, seen=SEEN.format(name=name))
