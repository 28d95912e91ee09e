# Forager as an image: `docker build -t forager .`, then
# `docker run --read-only --tmpfs /tmp -v ./forager.yaml:/etc/forager/forager.yaml:ro forager run /etc/forager/forager.yaml`.
# docs/containers.md says what it expects; a test runs these steps without a container engine.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build \
  && mkdir -p dist/bin state \
  && ln -s ../cli/forager.js dist/bin/forager

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
  PATH=/app/bin:$PATH \
  FORAGER_HEALTH_URL=http://127.0.0.1:9464/health/live
# What is freed goes back to the system, and less garbage lies about: docs/containers.md, "Memory".
ENV MALLOC_ARENA_MAX=2 \
  MALLOC_MMAP_THRESHOLD_=32768 \
  MALLOC_TRIM_THRESHOLD_=65536 \
  MALLOC_TOP_PAD_=0 \
  NODE_OPTIONS=--max-semi-space-size=8
WORKDIR /app
COPY --from=dependencies /dependencies/node_modules ./node_modules
COPY --from=build /build/dist ./
# `state.path` of the configuration: the only place that is written to.
COPY --from=build --chown=node:node /build/state /var/lib/forager
VOLUME /var/lib/forager
USER node
EXPOSE 9464
STOPSIGNAL SIGTERM
# It needs `http` in the configuration; with another port than 9464, FORAGER_HEALTH_URL.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.FORAGER_HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["forager"]
CMD ["--help"]
