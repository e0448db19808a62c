// Rows of a table: added, taken out and numbered without leaving the page.
import { rowsOf } from "./collect";
import { said, type Settings } from "./settings";

const NUMBERED = ["name", "id", "for", "value", "data-field", "data-row", "data-files", "data-output", "data-count-for", "aria-labelledby", "aria-describedby"];

/** Returns what makes a table as long as it must be. */
export function startRows(page: HTMLElement, settings: Settings, changed: () => void): (key: string, count: number) => void {
  const tableOf = (key: string): HTMLElement | null => page.querySelector(`[data-table="${key}"]`);
  const add = (table: HTMLElement): HTMLElement | null => {
    const blank = table.querySelector<HTMLTemplateElement>("template[data-blank-row]");
    const row = blank?.content.firstElementChild?.cloneNode(true);
    if (!(row instanceof HTMLElement)) return null;
    table.querySelector("[data-rows]")?.append(row);
    number(table, settings);
    return row;
  };
  page.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-add-row], [data-remove-row]") : null;
    const table = button?.closest<HTMLElement>("[data-table]");
    if (!button || !table) return;
    event.preventDefault();
    if ("addRow" in button.dataset) {
      add(table)?.querySelector<HTMLElement>("input, select, textarea")?.focus();
    } else {
      const row = button.closest<HTMLElement>("[data-row]");
      const next = row?.nextElementSibling ?? row?.previousElementSibling;
      row?.remove();
      if (!rowsOf(page, table.dataset["table"] ?? "").length) add(table);
      number(table, settings);
      (next?.querySelector<HTMLElement>("[data-remove-row]") ?? table.querySelector<HTMLElement>("[data-add-row]"))?.focus();
    }
    changed();
  });
  page.querySelectorAll<HTMLElement>("[data-table]").forEach((table) => number(table, settings));
  return (key, count) => {
    const table = tableOf(key);
    if (!table) return;
    while (rowsOf(page, key).length < count && add(table));
    for (const row of rowsOf(page, key).slice(count)) row.remove();
    number(table, settings);
  };
}

function number(table: HTMLElement, settings: Settings): void {
  const key = table.dataset["table"] ?? "";
  const rows = rowsOf(table.parentElement ?? table, key);
  rows.forEach((row, place) => {
    const old = row.dataset["row"] ?? "";
    const [path, from, to] = [`${key}[${place}]`, `f-${old.replace("[", "-").replace("]", "")}-`, `f-${key}-${place}-`];
    for (const element of [row, ...row.querySelectorAll("*")]) {
      for (const name of NUMBERED) {
        const told = element.getAttribute(name);
        if (told === null || (old === path && !told.includes("__n__"))) continue;
        if (told.includes(old) || told.includes(from)) element.setAttribute(name, told.replaceAll(old, path).replaceAll(from, to));
      }
    }
    const head = row.querySelector<HTMLElement>("[data-row-number]");
    if (head) {
      head.textContent = String(place + 1);
      head.setAttribute("aria-label", said(settings.words, "row", { count: String(place + 1) }));
    }
  });
  const button = table.querySelector<HTMLButtonElement>("[data-add-row]");
  if (button) button.hidden = rows.length >= Number(table.dataset["most"] ?? Infinity);
}
