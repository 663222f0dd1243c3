"""Airflow's home under CRAWLHOUSE_HOME: its configuration, its secrets and its password. A file is written completely or not at all."""

from __future__ import annotations

import base64
import json
import os
import secrets
from configparser import ConfigParser
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from runtime.command_line import SAFE_PATH
from schemas.config.settings import Settings, sqlite_url
from schemas.errors import StorageError

HOST = "127.0.0.1"
USER = "admin"
FETCH_POOL, PROCESS_POOL, SHORT_POOL = "fetch", "process", "short"
FETCH_POOL_SLOTS = 8  # more than the cores of most machines, because fetch workers mostly wait
SHORT_POOL_SLOTS = 4  # planning and closing, beside all others; a slot that nobody needs costs nothing
PROJECT_DAGS = "dags"  # beside the crawl folder
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
MIN_PARALLEL_TASKS = 2  # so that one long task does not stop all others on a machine with one core
MISSING_DAG = {"missing_dag_retries": "1", "missing_dag_retry_delay": "20"}  # a task whose DAG a worker cannot find is retried, then fails
API_SECONDS = "20"  # a task waits for the API server; with Airflow's own 5 s tasks fail at their start on a busy machine
QUIET_LOGS = {  # what Airflow says of its own work in every task's log, with reprs of its objects
    "task": "WARNING",
    "task.stdout": "INFO",
    "task.stderr": "INFO",
    "airflow.dag_processing.bundles.manager": "WARNING",
    "airflow.dag_processing.dagbag": "WARNING",
    "airflow.task.operators.airflow.providers.standard.decorators": "WARNING",
    "openlineage": "WARNING",
    "airflow.providers.openlineage": "WARNING",
}
LOG_LEVELS = "AIRFLOW__LOGGING__NAMESPACE_LEVELS"
PARSE_SECONDS, CRAWLS_A_SECOND = 15, 5  # so reading DAG files takes a tenth of a core, however many crawls there are
LOCK_WAIT_SECONDS = 60  # SQLite's default of 5 s is too short when all four components start on a busy machine


@dataclass(frozen=True, slots=True)
class AirflowHome:
    """The files of a local Airflow. All of them except the database and the logs are written again if they are damaged."""

    folder: Path

    @property
    def config(self) -> Path:
        """`airflow.cfg`: with AIRFLOW_HOME set to the folder, every `airflow` command works on this installation."""
        return self.folder / "airflow.cfg"

    @property
    def logs(self) -> Path:
        """The folder of the logs of components and tasks."""
        return self.folder / "logs"

    @property
    def passwords(self) -> Path:
        """The passwords file of SimpleAuthManager."""
        return self.folder / "passwords.json"

    def url(self, port: int) -> str:
        """The URL of the UI."""
        return f"http://{HOST}:{port}"

    def prepare(self, settings: Settings, port: int) -> None:
        """Write the configuration for this port, and secrets and a password if there are none. Raises StorageError."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            if not self.password():
                write_private(self.passwords, json.dumps({USER: secrets.token_urlsafe(12)}) + "\n")
            parser = ConfigParser(interpolation=None)
            parser.read_dict(self._options(settings, port))
            write_private(self.config, _config_text(parser))
        except OSError as error:
            raise StorageError(f"{self.folder} cannot be written ({error.strerror}); free space there or set CRAWLHOUSE_HOME.") from error

    def password(self) -> str:
        """The password of `admin`. Empty if none is written yet."""
        return str(_read_json(self.passwords).get(USER, ""))

    def database_url(self, settings: Settings) -> str:
        """Airflow's own database: a SQLite file here, or the schema `airflow` of CRAWLHOUSE_DATABASE."""
        if not settings.database:
            return f"{sqlite_url(self.folder / 'airflow.db')}?timeout={LOCK_WAIT_SECONDS}"
        url = settings.database_url("airflow")
        return url + ("&" if "?" in url else "?") + "options=-csearch_path%3Dairflow"

    def environment(self, settings: Settings) -> dict[str, str]:
        """The environment of the components: the caller's, with this home, and with absolute paths in the settings."""
        set_here = {f"AIRFLOW__{section}__{key}".upper() for section, options in self._options(settings, 0).items() for key in options}
        inherited = {key: value for key, value in os.environ.items() if key.upper() not in set_here}
        settings_of_home = {
            **SAFE_PATH,
            "AIRFLOW_HOME": str(self.folder),
            "CRAWLHOUSE_HOME": str(settings.home.absolute()),
            "CRAWLHOUSE_CRAWLS": str(settings.crawls.absolute()),
            "CRAWLHOUSE_SPIDERS": str(Path(settings.spiders).absolute()) if settings.spiders else "",
            "CRAWLHOUSE_DATASETS": str(settings.datasets_folder().absolute()),
            "CRAWLHOUSE_STORE": settings.store_url(),
            "CRAWLHOUSE_DATABASE": settings.database,
            "CRAWLHOUSE_S3_ENDPOINT": settings.s3_endpoint,
            "CRAWLHOUSE_S3_REGION": settings.s3_region,
        }
        return {**inherited, **settings_of_home}

    def _options(self, settings: Settings, port: int) -> dict[str, dict[str, str]]:
        secret = self._secrets()
        url = self.url(port)
        return {
            "core": {
                "dags_folder": str(dags_folder()),
                "plugins_folder": str(self.folder / "plugins"),
                "executor": "crawlhouse.airflow.executor.LocalExecutor",
                "parallelism": str(FETCH_POOL_SLOTS + parallel_tasks() + SHORT_POOL_SLOTS),
                "load_examples": "False",
                "simple_auth_manager_users": f"{USER}:admin",
                "simple_auth_manager_passwords_file": str(self.passwords),
                "execution_api_server_url": f"{url}/execution/",
                "fernet_key": secret["fernet_key"],
                "dagbag_import_timeout": "120",
                "dagbag_import_error_tracebacks": "True",
                "dagbag_import_error_traceback_depth": "1",
            },
            "database": self._database_options(settings),
            "api": {
                "host": HOST,
                "port": str(port),
                "base_url": url,
                "workers": "1",
                "secret_key": secret["secret_key"],
                "instance_name": "crawlhouse",
            },
            "api_auth": {"jwt_secret": secret["jwt_secret"]},
            "logging": {
                "base_log_folder": str(self.logs / "tasks"),
                "dag_processor_child_process_log_directory": str(self.logs / "dags"),
                "namespace_levels": os.environ.get(LOG_LEVELS) or " ".join(f"{name}={level}" for name, level in QUIET_LOGS.items()),
            },
            "scheduler": {
                "task_instance_heartbeat_timeout": "60",
                "task_instance_heartbeat_timeout_detection_interval": "5",
            },
            "dag_processor": {
                "refresh_interval": "15",
                "min_file_process_interval": str(parse_seconds(settings)),
                "dag_file_processor_timeout": "180",
                "dag_bundle_config_list": json.dumps(dag_bundles(settings)),
            },
            "workers": MISSING_DAG | {"execution_api_timeout": API_SECONDS},
            "usage_data_collection": {"enabled": "False"},
        }

    def _database_options(self, settings: Settings) -> dict[str, str]:
        url = self.database_url(settings).replace("%", "%%")  # Airflow interpolates its configuration
        return {"sql_alchemy_conn": url, "sql_alchemy_conn_async": url} if settings.database else {"sql_alchemy_conn": url}

    def _secrets(self) -> dict[str, str]:
        path = self.folder / "secrets.json"
        names = ("fernet_key", "secret_key", "jwt_secret")
        known = _read_json(path)
        if all(known.get(name) for name in names):
            return {name: str(known[name]) for name in names}
        made = {name: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in names}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(made) + "\n")
        return made


def airflow_home(settings: Settings) -> AirflowHome:
    """Airflow's home for these settings. Nothing is written."""
    return AirflowHome(settings.home.absolute() / "airflow")


def dags_folder() -> Path:
    """The folder of the `dags` package, found without importing it."""
    spec = find_spec("dags")
    if spec is None or not spec.submodule_search_locations:
        raise StorageError("The package 'dags' is missing in the installation of crawlhouse; install crawlhouse again.")
    return Path(next(iter(spec.submodule_search_locations))).absolute()


def dag_bundles(settings: Settings) -> list[dict[str, object]]:
    """The folders with DAGs: ours, and the project's own `dags/` beside its crawl folder, if there is one."""
    own = settings.crawls.absolute().parent / PROJECT_DAGS
    folders = {"dags-folder": dags_folder()}
    if own.is_dir() and own.resolve() != dags_folder().resolve():
        folders["project"] = own
    return [{"name": name, "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(folder)}} for name, folder in folders.items()]


def parse_seconds(settings: Settings) -> int:
    """After how long Airflow reads a DAG file again: with 500 crawls that takes 2.6 s of CPU, for each of four files."""
    return max(PARSE_SECONDS, sum(1 for _ in settings.crawls.glob("*.y*ml")) // CRAWLS_A_SECOND)


def parallel_tasks() -> int:
    """How many processing tasks run at the same time on this machine."""
    return max(os.cpu_count() or 1, MIN_PARALLEL_TASKS)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. It is written completely or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _read_json(path: Path) -> dict[str, object]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _config_text(parser: ConfigParser) -> str:
    from io import StringIO

    buffer = StringIO()
    buffer.write("# Written by `crawlhouse up` at every start; changes here are lost. Settings of your own: AIRFLOW__SECTION__KEY.\n")
    parser.write(buffer)
    return buffer.getvalue()
