// What stands on the page, as data and back: `key`, `table[0].column`.
import type { Data, FieldSpec, FormSpec } from "./sheet";
import { isBlank } from "./sheet";

export interface FileValue {
  id: string;
  name: string;
  size: number;
  sha256: string;
}

type Box = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function placeOf(root: ParentNode, path: string): HTMLElement | null {
  return root.querySelector<HTMLElement>(`[data-field="${path}"]`);
}

function boxes(root: ParentNode, name: string): Box[] {
  return [...root.querySelectorAll<Box>(`[name="${name}"]`)];
}

export function rowsOf(root: ParentNode, key: string): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(`[data-table="${key}"] [data-rows] > [data-row]`)];
}

export function isAsked(field: FieldSpec, locked: string[]): boolean {
  return !field.calculated && field.type !== "signature" && !locked.includes(field.key);
}

/** Everything that is asked on the page; what is calculated, signed and held already is not. */
export function collect(root: ParentNode, form: FormSpec, locked: string[]): Data {
  const data: Data = {};
  for (const field of form.fields.filter((one) => isAsked(one, locked))) {
    data[field.key] = field.type === "table" ? collectRows(root, field) : collectOne(root, field, field.key);
  }
  return data;
}

function collectRows(root: ParentNode, field: FieldSpec): Data[] {
  return rowsOf(root, field.key).map((row, number) => {
    const columns = (field.columns ?? []).filter((column) => !column.calculated && column.type !== "signature");
    return Object.fromEntries(columns.map((column) => [column.key, collectOne(row, column, `${field.key}[${number}].${column.key}`)]));
  });
}

function collectOne(root: ParentNode, field: FieldSpec, name: string): unknown {
  const found = boxes(root, name);
  const box = found[0];
  switch (field.type) {
    case "codes":
      return found.filter((one) => (one as HTMLInputElement).checked).map((one) => one.value);
    case "file":
      return [...root.querySelectorAll<HTMLElement>(`[data-files="${name}"] [data-file]`)].map((line) => ({
        id: line.dataset["file"],
        name: line.querySelector("a")?.textContent ?? "",
        size: Number(line.dataset["size"] ?? 0),
        sha256: line.dataset["sha256"] ?? "",
      }));
    case "place":
      return { lon: boxes(root, `${name}.lon`)[0]?.value ?? "", lat: boxes(root, `${name}.lat`)[0]?.value ?? "" };
    case "person":
    case "org":
    case "entry": {
      const id = box?.dataset["partyId"];
      return id && box ? { id, name: box.value } : (box?.value ?? "");
    }
    case "boolean": {
      const chosen = box instanceof HTMLSelectElement ? box.value : (found.find((one) => (one as HTMLInputElement).checked)?.value ?? "");
      return chosen === "" ? "" : chosen === "true";
    }
    case "code":
      return box instanceof HTMLSelectElement ? box.value : (found.find((one) => (one as HTMLInputElement).checked)?.value ?? "");
    default:
      return box?.value ?? "";
  }
}

/** Puts data on the page; `setRows` makes a table as long as it must be, `setFiles` lists files. */
export function fill(
  root: ParentNode,
  form: FormSpec,
  data: Data,
  locked: string[],
  setRows: (key: string, count: number) => void,
  setFiles: (name: string, files: FileValue[]) => void,
): void {
  for (const field of form.fields.filter((one) => isAsked(one, locked) && one.key in data)) {
    if (field.type !== "table") {
      fillOne(root, field, field.key, data[field.key], setFiles);
      continue;
    }
    const rows = (Array.isArray(data[field.key]) ? data[field.key] : []) as Data[];
    setRows(field.key, Math.max(1, rows.length));
    rowsOf(root, field.key).forEach((row, number) => {
      for (const column of field.columns ?? []) {
        if (!column.calculated) fillOne(row, column, `${field.key}[${number}].${column.key}`, rows[number]?.[column.key], setFiles);
      }
    });
  }
}

function fillOne(root: ParentNode, field: FieldSpec, name: string, value: unknown, setFiles: (name: string, files: FileValue[]) => void): void {
  const found = boxes(root, name);
  const parts = (typeof value === "object" && value !== null ? value : {}) as { [part: string]: unknown };
  if (field.type === "file") return setFiles(name, (Array.isArray(value) ? value : []) as FileValue[]);
  if (field.type === "place") {
    for (const part of ["lon", "lat"]) for (const box of boxes(root, `${name}.${part}`)) box.value = textOf(parts[part]);
    return;
  }
  for (const box of found) {
    if (box instanceof HTMLInputElement && (box.type === "radio" || box.type === "checkbox")) {
      box.checked = Array.isArray(value) ? value.includes(box.value) : !isBlank(value) && String(value) === box.value;
    } else if (field.type === "person" || field.type === "org" || field.type === "entry") {
      box.value = typeof value === "string" ? value : textOf(parts["name"]);
      box.dataset["partyId"] = textOf(parts["id"]);
    } else {
      box.value = textOf(value);
    }
  }
}

function textOf(value: unknown): string {
  return value === null || value === undefined || typeof value === "object" ? "" : String(value);
}

/** Data without what is empty, so that two ways of saying nothing are the same. */
export function meant(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => !isBlank(one)).map(meant);
  if (typeof value !== "object" || value === null) return typeof value === "number" ? String(value) : value;
  const parts = Object.entries(value).filter(([, one]) => !isBlank(one));
  return Object.fromEntries(parts.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, one]) => [key, meant(one)]));
}

export function isSame(one: unknown, other: unknown): boolean {
  return (isBlank(one) && isBlank(other)) || JSON.stringify(meant(one)) === JSON.stringify(meant(other));
}
