"""Configuration: crawl files (YAML) and the environment are read, checked and bounded here.

`crawl_file.read_crawl(path)` returns a `crawl.Crawl`, and `settings.load_settings()` returns the `Settings`. Both raise ConfigError with a
sentence that says what to correct.
"""
