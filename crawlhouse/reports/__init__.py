"""Reports on one URL or one crawl, as values. `crawlhouse.output` prints them.

`url_report.read_url_report` reads what lake and archive have of a URL, `provenance` where its fields came from, `explanation.rules` which
rules apply to it, and `check_run.run_check` tries a crawl.
"""
