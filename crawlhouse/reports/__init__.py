"""Answers about one URL or one crawl, as values that `crawlhouse.output` shows: where a row came from, why a URL is fetched or not."""
