"""What crawlhouse is compared with: crawlers, extractors and revisit policies of others."""
