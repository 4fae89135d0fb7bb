# The action's image: one static binary under two names, and the CA certificates, on nothing.
#
#   docker build .                              builds the binary from source
#   docker build --build-arg BINARY=prebuilt .  takes the root folder target/image as it is, and pulls no base image
#
# Needs BuildKit, which builds only the one that is needed. No USER and no WORKDIR: the runner needs root, and says
# where to work.
ARG BINARY=source

# Pinned by its tag: it is the version of rust-toolchain.toml.
FROM rust:1.95.0-bookworm AS binary-source
WORKDIR /source
COPY . .
# With the target named, only the binary is static: crates that run at build time can't be.
RUN host="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --bin ecs-blue-green --target "$host" \
 && install -D -t /image "target/$host/release/ecs-blue-green" \
 && ln -s ecs-blue-green /image/ecs-blue-green-post \
 && install -D -m 644 -t /image/etc/ssl/certs /etc/ssl/certs/ca-certificates.crt

FROM scratch AS binary-prebuilt
COPY target/image/ /image/

FROM binary-${BINARY} AS binary

FROM scratch
# The post step is the same binary under a name of its own, by which it knows its part.
COPY --from=binary /image/ /
ENTRYPOINT ["/ecs-blue-green"]
