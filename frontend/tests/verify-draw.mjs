// Check published draws with the code of the browser: a list of bundles as JSON on stdin, the steps of each on stdout.
import { readFileSync } from "node:fs";
import { createServer } from "vite";

const root = new URL("..", import.meta.url).pathname;
const server = await createServer({ root, configFile: false, logLevel: "error", server: { middlewareMode: true, watch: null } });
const { verify } = await server.ssrLoadModule("/src/draws/protocol.ts");
const found = [];
for (const bundle of JSON.parse(readFileSync(0, "utf-8"))) {
  const steps = await verify(bundle);
  found.push(Object.fromEntries(steps.map((step) => [step.name, step.isGood ?? null])));
}
console.log(JSON.stringify(found));
await server.close();
