// Two pages, built into `dist/`, which the gateway embeds. In development (`npm run dev`) the pages come
// from Vite and everything else from a running gateway on its default port.

import { defineConfig, type Plugin } from "vite";

const GATEWAY = "http://127.0.0.1:8080";

/** The gateway answers every `/watch/…` with the one player page; so must the development server. */
const watchPage: Plugin = {
  name: "watch-page",
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      if (request.url?.startsWith("/watch/")) request.url = "/watch.html";
      next();
    });
  },
};

export default defineConfig({
  base: "/",
  plugins: [watchPage],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The Content-Security-Policy allows nothing inline, so nothing may become a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // hls.js is one chunk of half a megabyte, loaded by the player page alone.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: ["index.html", "watch.html"] },
  },
  server: {
    proxy: {
      "^/api/": GATEWAY,
      "^/(?!@|src/|node_modules/).+\\.(m3u8|m4s|mp4|ts)$": GATEWAY,
    },
  },
});
