import { defineConfig, type ProxyOptions } from "vite";
import solid from "vite-plugin-solid";

const server = process.env.EVALHOUSE_URL ?? "http://127.0.0.1:8787";

// The server refuses requests that another site's page sends, and in development the page comes from
// Vite's address: the proxy speaks to the server as the server's own page would.
const toServer: ProxyOptions = { target: server, changeOrigin: true, headers: { origin: server } };

const proxy = Object.fromEntries(
  ["/api/", "/v1/", "/logs3", "/btql", "/healthz", "/openapi.json"].map((path) => [path, toServer]),
);

export default defineConfig({
  plugins: [solid()],
  server: { proxy },
  build: {
    target: "es2022",
    // A script or style inlined as a data: URL would break the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
