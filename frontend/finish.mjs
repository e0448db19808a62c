// After Vite: squeeze what the web server hands out, and lay the print typeface where the PDF maker looks for it.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dist = here("../src/shuren/front/static/front/dist/");
const fonts = here("../src/shuren/pages/fonts/");
const typeface = here("node_modules/@expo-google-fonts/noto-sans-sc/");

for (const name of readdirSync(dist).sort()) {
  if (!/\.(css|js|svg|json)$/.test(name)) continue;
  const content = readFileSync(dist + name);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  writeFileSync(`${dist}${name}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${dist}${name}.br`, brotliCompressSync(content, quality));
}

mkdirSync(fonts, { recursive: true });
for (const path of ["400Regular/NotoSansSC_400Regular.ttf", "700Bold/NotoSansSC_700Bold.ttf"]) {
  copyFileSync(typeface + path, fonts + path.split("/")[1]);
}
copyFileSync(`${typeface}LICENSE_FONT`, `${fonts}LICENSE`);
