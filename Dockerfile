# The image of every Airflow service in docker-compose.yml: the locked requirements, then the project itself.
FROM python:3.11.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/crawlhouse

COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY storage ./storage
COPY spiders ./spiders
COPY processing ./processing
COPY dags ./dags
COPY crawlhouse ./crawlhouse
COPY demo ./demo
RUN pip install --no-deps .

RUN useradd --create-home --uid 1000 crawlhouse \
 && mkdir -p /opt/airflow/logs /opt/airflow/private /var/lib/crawlhouse /opt/crawlhouse/crawls \
 && chown -R crawlhouse /opt/airflow /var/lib/crawlhouse
ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/crawlhouse/dags
USER crawlhouse
