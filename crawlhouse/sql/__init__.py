"""Users' SQL over the published tables. `query.run_sql` runs it, `reading` checks that it only reads, `time_limit` ends it."""
