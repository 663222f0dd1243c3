"""What the subcommands of `crawlhouse` do. Their options and their help are in `crawlhouse.commands`.

A command imports its action when it runs. Actions need the database, Scrapy or DuckDB, and `crawlhouse --help` must not wait for these.
What comes in: settings and the values of the options. What goes out: printed results, and the errors of `schemas.errors`.
"""
