"""What `check` and `crawl` ask before and after: are the selectors valid, what do they find, do golden pages still give what they gave?"""
