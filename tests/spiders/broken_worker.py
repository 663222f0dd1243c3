"""A fetch worker whose answer readers have defects at some URLs, and small limits."""

import sys

from spiders import worker
from spiders.reading import reader
from spiders.reading.reader import ReadLimits
from spiders.reading.readers import ResponseReaders

reader.ENTRY = "tests.spiders.broken_reader.serve_questions"
ResponseReaders.__init__.__defaults__ = (ReadLimits(cpu_seconds=1.0, wall_seconds=4.0, memory_bytes=200 * 1024 * 1024),)

if __name__ == "__main__":
    sys.exit(worker.main())
