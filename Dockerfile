# Built in two stages: the second holds the interpreter and one virtual environment, compiled, and nothing else.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/foas-emulator \
    && /opt/foas-emulator/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY fixtures fixtures
RUN /opt/foas-emulator/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/foas-emulator/bin/pip uninstall --yes setuptools pip \
    && python -m compileall -q /opt/foas-emulator

FROM python:3.12-slim
COPY --from=build /opt/foas-emulator /opt/foas-emulator
RUN useradd --system --uid 10001 --no-create-home foas && install --directory --owner=foas /data
USER 10001
# Reachable from outside the container; set FOASEMU_DATA_DIR=/data to keep the worlds.
ENV FOASEMU_HOST=0.0.0.0 PATH=/opt/foas-emulator/bin:$PATH
EXPOSE 8018
VOLUME /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["foas-emulator", "healthcheck"]
ENTRYPOINT ["foas-emulator"]
CMD ["serve"]
