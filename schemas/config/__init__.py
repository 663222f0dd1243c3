"""Configuration: the crawl's YAML and the environment, read, checked and bounded.

`crawl_file.read_crawl(path)` gives a `crawl.Crawl`; `settings.load_settings()` gives the `Settings`. Both raise ConfigError with a sentence
that says what to correct.
"""
