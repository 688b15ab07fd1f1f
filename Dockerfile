# Project Operations Sync on the official Airflow image; the sandbox runs from the same image.
FROM apache/airflow:3.3.2-python3.12

ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/projops/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/projops/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    GX_ANALYTICS_ENABLED=false \
    PYTHONPATH=/opt/projops/config:/opt/projops

USER root
RUN install --directory --owner=airflow --group=root /opt/staging
USER airflow

# The lock first: it changes less often than the code.
COPY --chown=airflow:root requirements.lock requirements.txt /opt/projops/
RUN pip install --no-cache-dir --require-hashes -r /opt/projops/requirements.lock

COPY --chown=airflow:root . /opt/projops
RUN pip install --no-cache-dir --no-deps -e /opt/projops
