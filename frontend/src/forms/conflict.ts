// Two changed the same form: what only one of them changed is joined, the rest is asked, field by field.
import { isSame } from "./collect";
import { said, type Settings } from "./settings";
import type { Data, FieldSpec } from "./sheet";

/** Both sides over what they began with: `merged` needs no question, `open` are the keys that both changed otherwise. */
export function merge(base: Data, mine: Data, theirs: Data): { merged: Data; open: string[] } {
  const merged: Data = {};
  const open: string[] = [];
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    if (isSame(mine[key], theirs[key]) || isSame(mine[key], base[key])) merged[key] = theirs[key] ?? null;
    else if (isSame(theirs[key], base[key])) merged[key] = mine[key] ?? null;
    else open.push(key);
  }
  return { merged, open };
}

export interface Asked {
  mine: Data;
  theirs: Data;
  open: string[];
  done: (chosen: Data) => void;
}

export function askWhich(page: HTMLElement, settings: Settings, asked: Asked): void {
  const place = page.querySelector<HTMLElement>("[data-sheet-conflict]");
  if (!place) return;
  const panel = document.createElement("div");
  panel.className = "sheet-conflict";
  panel.setAttribute("role", "alertdialog");
  panel.setAttribute("aria-labelledby", "conflict-title");
  panel.tabIndex = -1;
  const title = Object.assign(document.createElement("h2"), { id: "conflict-title", textContent: said(settings.words, "conflict") });
  const lead = Object.assign(document.createElement("p"), { textContent: said(settings.words, "conflictLead") });
  panel.append(title, lead, ...asked.open.map((key) => question(page, settings, key, asked)));
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary" });
  button.textContent = said(settings.words, "keepChosen");
  button.addEventListener("click", () => {
    const chosen = asked.open.map((key): [string, unknown] => {
      const side = panel.querySelector<HTMLInputElement>(`input[name="conflict-${key}"]:checked`)?.value;
      return [key, (side === "theirs" ? asked.theirs : asked.mine)[key] ?? null];
    });
    place.replaceChildren();
    asked.done(Object.fromEntries(chosen));
  });
  panel.append(button);
  // Its own boxes are no part of the form.
  panel.addEventListener("input", (event) => event.stopPropagation());
  panel.addEventListener("change", (event) => event.stopPropagation());
  place.replaceChildren(panel);
  panel.focus();
}

function question(page: HTMLElement, settings: Settings, key: string, asked: Asked): HTMLElement {
  const field = settings.form.fields.find((one) => one.key === key);
  const group = document.createElement("fieldset");
  const label = page.querySelector(`[data-field="${key}"]`)?.querySelector("legend, label, .sheet-label")?.firstChild?.textContent;
  group.append(Object.assign(document.createElement("legend"), { textContent: label?.trim() ?? key }));
  for (const side of ["mine", "theirs"] as const) {
    const line = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "radio", name: `conflict-${key}`, value: side, checked: side === "mine" });
    const words = document.createElement("span");
    words.append(Object.assign(document.createElement("strong"), { textContent: said(settings.words, side) }));
    words.append(` ${written(page, settings, field, asked[side][key])}`);
    line.append(box, words);
    group.append(line);
  }
  return group;
}

/** A value in words; codes by what the page calls them. */
function written(page: HTMLElement, settings: Settings, field: FieldSpec | undefined, value: unknown): string {
  const { words } = settings;
  if (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length)) return said(words, "nothing");
  if (typeof value === "boolean") return said(words, value ? "yes" : "no");
  if (Array.isArray(value) && field?.type === "table") {
    const lines = (value as Data[]).map((row) => (field.columns ?? []).map((column) => written(page, settings, column, row[column.key])).join(" · "));
    return `${said(words, "rows", { count: String(value.length) })}: ${lines.join("; ")}`;
  }
  if (Array.isArray(value)) return value.map((one) => written(page, settings, field, one)).join("、");
  if (typeof value === "object") {
    const parts = value as { name?: string; lon?: number; lat?: number };
    return parts.name ?? [parts.lon, parts.lat].filter((part) => part !== undefined).join(", ");
  }
  return field?.type === "code" || field?.type === "codes" ? titleOf(page, field.key, String(value)) : String(value);
}

function titleOf(page: HTMLElement, key: string, code: string): string {
  const named = [...page.querySelectorAll<HTMLElement>(`[name="${key}"], [name$=".${key}"]`)];
  for (const box of named) {
    if (box instanceof HTMLInputElement && box.value === code) return box.parentElement?.textContent?.trim() || code;
    if (box instanceof HTMLSelectElement) {
      const option = [...box.options].find((one) => one.value === code);
      if (option) return option.text;
    }
  }
  return code;
}
