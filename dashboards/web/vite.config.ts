import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

// Where `npm run dev` finds the API: a `meter95 serve` or `meter95 demo` on this machine.
const api = process.env["METER95_API"] ?? "http://127.0.0.1:9595";

// What printed reports are set in, by the name under which the service finds it, and its licence.
const FONTS = {
  "NotoSansJP-Regular.ttf": "400Regular/NotoSansJP_400Regular.ttf",
  "NotoSansJP-Bold.ttf": "700Bold/NotoSansJP_700Bold.ttf",
  "OFL.txt": "LICENSE_FONT",
};

const fonts: Plugin = {
  name: "fonts",
  apply: (_, { isSsrBuild }) => isSsrBuild !== true,
  generateBundle() {
    for (const [name, file] of Object.entries(FONTS)) {
      const source = readFileSync(new URL(`node_modules/@expo-google-fonts/noto-sans-jp/${file}`, import.meta.url));
      this.emitFile({ type: "asset", fileName: `fonts/${name}`, source });
    }
  },
};

export default defineConfig({
  base: "./",
  plugins: [fonts],
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
