"""A fetch worker that rotates its segment at every tick, so that a kill finds every step of it."""

import sys

from spiders import worker
from spiders.spool import registrar

registrar.MAX_SEGMENT_SECONDS = 0.0

if __name__ == "__main__":
    sys.exit(worker.main())
