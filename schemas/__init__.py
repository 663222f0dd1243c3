"""CONTRACTS: what the other folders agree on. Configuration, record types, table schemas, object keys, outcomes and errors.

Nothing here opens a connection, a store or a database. Others mostly use `schemas.config.crawl.Crawl` (a crawl file),
`schemas.config.settings` (the environment), `schemas.errors` (every error with its exit code) and `schemas.outcomes` (what can become of
a URL or a record).
"""

from schemas.moved import keep_former_names

keep_former_names()
