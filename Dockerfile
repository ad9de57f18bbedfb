# The command `tars` as an image: docker build -t tars . && docker run --rm -v "$PWD:/data" tars run --root org-health
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m pip wheel --quiet --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="T.A.R.S. incident workbook" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/core.lock /tmp/core.lock
COPY --from=build /wheels /tmp/wheels
RUN python -m pip install --quiet --require-hashes -r /tmp/core.lock \
    && python -m pip install --quiet --no-deps /tmp/wheels/*.whl \
    && rm -r /tmp/core.lock /tmp/wheels \
    && useradd --create-home --uid 10001 tars \
    && install -d -o tars -g tars /data
USER 10001
WORKDIR /data
ENTRYPOINT ["tars"]
CMD ["--help"]
