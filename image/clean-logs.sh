#!/bin/sh
# Removes local logs of Airflow older than AIRFLOW__LOG_RETENTION_DAYS (15 by default), every 15 minutes, and the folders that are empty then.
# Airflow's Helm chart runs it beside the scheduler and the workers.
set -eu
while true; do
  find "${AIRFLOW_HOME:-/opt/airflow}/logs" -type f -mtime "+${AIRFLOW__LOG_RETENTION_DAYS:-15}" -delete || true
  find "${AIRFLOW_HOME:-/opt/airflow}/logs" -mindepth 1 -type d -empty -delete || true
  [ "${1:-}" = once ] && exit 0
  sleep 900
done
