import { defineConfig } from "vite";

// Where `npm run dev` finds the API: a `meter95 serve` or `meter95 demo` on this machine.
const api = process.env["METER95_API"] ?? "http://127.0.0.1:9595";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    // Every asset is a file of its own, so that the page runs under `default-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The dashboard, and the reference of the API.
    rollupOptions: { input: ["index.html", "docs.html"] },
    // Swagger UI is one file.
    chunkSizeWarningLimit: 2048,
  },
  server: { proxy: { "/v1": api } },
});
