# The image of every Airflow service in docker-compose.yml: the locked requirements, then the project itself.
FROM python:3.11.13-slim-bookworm AS build
# Not every requirement has a wheel for every processor: on arm64 pycld2 is compiled.
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
WORKDIR /opt/crawlhouse

COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY runtime ./runtime
COPY storage ./storage
COPY spiders ./spiders
COPY processing ./processing
COPY dags ./dags
COPY crawlhouse ./crawlhouse
COPY demo ./demo
RUN pip install --no-deps .

FROM python:3.11.13-slim-bookworm
COPY --from=build /opt/venv /opt/venv
COPY dags /opt/crawlhouse/dags
COPY image/entrypoint.sh /entrypoint
COPY image/clean-logs.sh /clean-logs
COPY image/clean-database.sh /clean-database
ENV PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 PATH=/opt/venv/bin:$PATH AIRFLOW__CORE__DAGS_FOLDER=/opt/crawlhouse/dags

# Named volumes take the owner that these folders have here.
RUN useradd --create-home --uid 1000 crawlhouse \
 && mkdir -p /opt/airflow/logs /opt/airflow/private /var/lib/crawlhouse /opt/crawlhouse/crawls /opt/crawlhouse/datasets \
    /opt/crawlhouse/project/dags \
 && chown -R crawlhouse /opt/airflow /var/lib/crawlhouse
WORKDIR /opt/crawlhouse
USER crawlhouse
ENTRYPOINT ["/entrypoint"]
