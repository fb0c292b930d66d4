# Builds llm-proxy with the script that builds what is shipped, and runs it alone on a slim Debian.
#   docker build -t llm-proxy .
#   docker run -p 8080:8080 -v llm-proxy-data:/var/lib/llm-proxy/data llm-proxy

FROM swift:6.3-bookworm AS build
WORKDIR /src
# The system packages in a layer of their own: they change less often than the program.
COPY ci/install ci/toolchain ci/
RUN ci/install
COPY . .
# What was compiled is kept for the next build; what is shipped leaves the cache.
RUN --mount=type=cache,target=/src/.build-release \
    binary="$(ci/build-release)" && cp "$binary" /llm-proxy

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends ca-certificates libpq5 libsqlite3-0 libyaml-0-2 libbrotli1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 llm-proxy \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/llm-proxy --shell /usr/sbin/nologin \
        llm-proxy \
    && install -d -o llm-proxy -g llm-proxy -m 0750 /var/lib/llm-proxy /var/lib/llm-proxy/data
COPY --from=build /llm-proxy /usr/local/bin/llm-proxy
# Fails the build, and not the first start, when a library is missing.
RUN ["llm-proxy", "--version"]

# By number, so that a cluster can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/llm-proxy
# SQLite's file and the secrets that are made when none are set. With PostgreSQL and both secrets set it stays empty.
VOLUME ["/var/lib/llm-proxy/data"]
EXPOSE 8080
# Stops in order; give it more time than SHUTDOWN_GRACE (30 s) before it is killed.
STOPSIGNAL SIGTERM
# bash is in every Debian and speaks TCP by itself, but no TLS: then it looks whether the port is open. Follows LISTEN_ADDR's port; needs an address that 127.0.0.1 reaches.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["bash", "-c", "\
    listen=${LISTEN_ADDR:-:8080} && exec 3<>/dev/tcp/127.0.0.1/${listen##*:} && \
    { [[ -z $TLS_CERT_FILE ]] || exit 0; } && \
    printf 'GET /ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && \
    read -r line <&3 && [[ $line == 'HTTP/1.1 200 '* ]]"]
ENTRYPOINT ["llm-proxy"]
CMD ["server"]
