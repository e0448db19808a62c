// Answer expressions and work out sheets as the browser does: lines of JSON on stdin, one answer a line on stdout.
// {tree, data, today} → the answer; {form, data} → {shown, values}. The sources are made into modules by the TypeScript compiler.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const sources = fileURLToPath(new URL("../src/forms/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "shuren-forms-"));

async function load(name) {
  const text = readFileSync(`${sources}${name}.ts`, "utf-8");
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
  const code = ts.transpileModule(text, { compilerOptions: options }).outputText.replace(/from "\.\/(\w+)"/g, 'from "./$1.mjs"');
  writeFileSync(join(folder, `${name}.mjs`), code);
  return import(pathToFileURL(join(folder, `${name}.mjs`)).href);
}

const { Fraction, answer, partOf } = await load("answers");
const { Sheet } = await load("sheet");

function plain(value) {
  if (value instanceof Fraction) return { number: value.toString() };
  if (typeof value === "number") return { number: String(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  return value ?? null;
}

function sheetOf({ form, data }) {
  const sheet = new Sheet(form, data);
  const keys = form.fields.map((field) => field.key).filter((key) => sheet.isShown(key));
  return { shown: keys, values: plain(Object.fromEntries(keys.map((key) => [key, sheet.cell(key)]).filter(([, one]) => one !== null))) };
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const told = JSON.parse(line);
  const lookup = { value: (name) => told.data[name], part: (name, part) => partOf(told.data[name], part) };
  console.log(JSON.stringify(told.form ? sheetOf(told) : plain(answer(told.tree, lookup, told.today))));
}).on("close", () => rmSync(folder, { recursive: true }));
