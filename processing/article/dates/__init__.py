"""Read dates and times from text: in the languages, calendars and zones of the web.

In: a short text, and the language of its page. Out: the moment, and the offset that was written. Others use `dates.read_date`;
`clocks` reads the time of day beside a date, with the words of `day_periods`; `months` knows the names of months, `calendars` the eras.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.article.dates.dates")
