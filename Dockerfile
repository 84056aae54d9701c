# syntax=docker/dockerfile:1
# The services' images: docker build --target order-service --tag ghcr.io/finpay/order-service:0.1.0 .
# `cargo mesh images` makes them without Docker, and with the same digests at each run.

FROM rust:1.95.0-slim-trixie AS build
# musl-tools compiles SQLite for the static binary. Its version is that of the base image's Debian, which keeps no
# older one to pin.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends musl-tools \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /finpay
COPY . .
ENV CARGO_PROFILE_RELEASE_DEBUG=none \
    CARGO_PROFILE_RELEASE_STRIP=symbols
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/finpay/target \
    target="$(uname -m)-unknown-linux-musl"; \
    export "CC_${target//-/_}=musl-gcc"; \
    cargo build --release --locked --target "$target" --package auth --package payment --package order; \
    mkdir /out; \
    cp "target/$target/release/"{auth,payment,order}-service /out/

# What the three share. No shell, no package, no user database: the user is a number.
FROM scratch AS service
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/finpay/finpay"
USER 65532:65532
ENTRYPOINT ["/service"]

FROM service AS auth-service
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="auth-service" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/auth-service /service

FROM service AS payment-service
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="payment-service" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/payment-service /service

FROM service AS order-service
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="order-service" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/order-service /service
