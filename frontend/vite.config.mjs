import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const ICON_NAMES = "../src/shuren/pages/icons.json";
const OUTPUT = "../src/shuren/front/static/front/dist";

/** One file with the line icons that templates may name, each as a symbol. */
function iconSprite() {
  return {
    name: "icon-sprite",
    buildStart() {
      const symbols = JSON.parse(readFileSync(here(ICON_NAMES), "utf8")).map((name) => {
        const file = here(`node_modules/@tabler/icons/icons/outline/${name}.svg`);
        const drawing = readFileSync(file, "utf8").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
        const lines = drawing.split("\n").map((line) => line.trim());
        const body = lines.filter((line) => line && !line.includes('d="M0 0h24v24H0z"')).join("");
        return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
      });
      const source = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
      this.emitFile({ type: "asset", name: "icons.svg", originalFileName: "icons.svg", source });
    },
  };
}

export default defineConfig({
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [iconSprite()],
  build: {
    outDir: here(OUTPUT),
    emptyOutDir: true,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: ["chrome123", "safari17.5", "firefox120"],
    chunkSizeWarningLimit: 800,
    rollupOptions: {
      // htmx can run code from attributes; it is switched off in main.ts, so its eval is never reached.
      onLog: (level, log, hand) => (log.code === "EVAL" ? undefined : hand(level, log)),
      input: { main: here("src/main.ts") },
      output: {
        hashCharacters: "hex",
        entryFileNames: "[name].[hash:12].js",
        chunkFileNames: "[name].[hash:12].js",
        assetFileNames: "[name].[hash:12][extname]",
      },
    },
  },
});
