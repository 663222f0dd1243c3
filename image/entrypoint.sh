#!/bin/sh
# Starts every service of the image: each file in /run/secrets becomes the environment variable of its name, then the command runs.
# `airflow` need not be written: the probes and jobs of Airflow's Helm chart call it by its subcommands, as Airflow's own image allows.
set -eu
for file in "${SECRETS_FOLDER:-/run/secrets}"/*; do
  [ -f "$file" ] && export "$(basename "$file")=$(cat "$file")"
done
case "${1:-}" in
  api-server|celery|config|connections|dag-processor|dags|db|info|jobs|pools|scheduler|triggerer|variables|version) set -- airflow "$@" ;;
esac
exec "$@"
