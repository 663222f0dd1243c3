#!/bin/sh
# Removes rows of Airflow's database older than KEEP_DAYS (60 by default), once a day. `once`: now, and then it ends.
# A task cannot do it: Airflow gives tasks no access to its database.
set -eu
while true; do
  before=$(date -u -d "-${KEEP_DAYS:-60} days" +%Y-%m-%dT%H:%M:%S+00:00)
  airflow db clean --clean-before-timestamp "$before" --skip-archive --yes || [ "${1:-}" != once ]
  [ "${1:-}" = once ] && exit 0
  sleep 86400
done
