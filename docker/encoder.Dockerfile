# syntax=docker/dockerfile:1
# A test encoder: a moving picture with a clock, and a tone.
#   docker build -f docker/encoder.Dockerfile -t forebay-encoder docker
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 encoder \
    && useradd --system --uid 10001 --gid encoder --no-create-home --shell /usr/sbin/nologin encoder
COPY --chmod=755 encoder /usr/local/bin/encoder
USER 10001:10001
ENTRYPOINT ["encoder"]
