// A form page while somebody fills it: what is shown, calculated and counted at once, rows, saving, and what others changed.
import { answer, Fraction, isTrue, takenIn } from "./answers";
import { collect, fill, placeOf, rowsOf, type FileValue } from "./collect";
import { startCounts } from "./counts";
import { askWhich } from "./conflict";
import { listFiles, startUploads } from "./uploads";
import { startParties } from "./parties";
import { startRows } from "./rows";
import { keepPage } from "./offline";
import { Saving } from "./saving";
import type { Settings } from "./settings";
import { Sheet, type Data, type FieldSpec, type FormSpec, type SheetRow } from "./sheet";

export function startForm(page: HTMLElement): void {
  const source = document.getElementById("sheet-settings");
  const form = page.closest("form");
  if (!source?.textContent || !form) return;
  const settings = JSON.parse(source.textContent) as Settings;
  const untouched = pristine(page, settings);
  const rows = startRows(page, settings, () => changed());
  const files = (name: string, told: FileValue[]): void => listFiles(page, settings, name, told);
  const now = (): Data => collect(page, settings.form, settings.locked);
  const put = (data: Data): void => {
    fill(page, settings.form, data, settings.locked, rows, files);
    show(page, settings, now());
    page.dispatchEvent(new Event("sheet:filled"));
  };
  const saving = new Saving(page, form, settings, untouched, { now, put, ask: (asked) => askWhich(page, settings, asked) });
  const changed = (): void => {
    show(page, settings, now());
    saving.changed();
  };
  page.addEventListener("input", changed);
  page.addEventListener("change", changed);
  startCounts(page, settings.words);
  startParties(page, settings, changed);
  startUploads(page, settings, changed);
  show(page, settings, now());
  void saving.start();
  void keepPage(settings.saveUrl && settings.workerUrl).catch(() => undefined);
}

/** What the server drew: somebody may have typed before the script was there. */
function pristine(page: HTMLElement, settings: Settings): Data {
  const copy = document.createElement("form");
  copy.append(page.cloneNode(true));
  copy.reset();
  return collect(copy, settings.form, settings.locked);
}

/** Draws what follows from what was typed. */
function show(page: HTMLElement, settings: Settings, data: Data): void {
  const { form } = settings;
  const sheet = new Sheet(form, { ...settings.held, ...data });
  for (const field of form.fields) {
    place(placeOf(page, field.key), field, sheet.isShown(field.key), sheet.isRequired(field), sheet.cell(field.key));
    if (field.type === "table") {
      const drawn = rowsOf(page, field.key);
      sheet.rows(field).forEach((row, number) => drawn[number] && showRow(drawn[number], field, row, number));
    }
  }
  for (const section of form.sections) {
    const shown = form.fields.some((field) => field.section === section.key && sheet.isShown(field.key));
    page.querySelector(`[data-section="${section.key}"]`)?.classList.toggle("is-off", !shown && section.shown_if !== null);
  }
  showRules(page, form, sheet);
}

function showRow(drawn: HTMLElement, field: FieldSpec, row: SheetRow, number: number): void {
  for (const column of field.columns ?? []) {
    const path = `${field.key}[${number}].${column.key}`;
    place(placeOf(drawn, path), column, row.isShown(column.key), row.isRequired(column), row.cell(column.key));
  }
}

function place(drawn: HTMLElement | null, field: FieldSpec, isShown: boolean, isRequired: boolean, value: unknown): void {
  if (!drawn) return;
  drawn.classList.toggle("is-off", !isShown);
  const optional = drawn.querySelector<HTMLElement>(":scope [data-optional]");
  if (optional && field.type !== "table") optional.hidden = isRequired;
  const output = field.calculated ? drawn.querySelector<HTMLOutputElement>("output") : null;
  if (output) output.textContent = writtenValue(field, value);
}

function writtenValue(field: FieldSpec, value: unknown): string {
  if (!(value instanceof Fraction)) return value === null || value === undefined ? "—" : String(value);
  const text = value.fixed(field.type === "decimal" ? (field.places ?? 0) : 0);
  return field.grouped ? text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",") : text;
}

/** Rules that are broken now are told at their field, before anything is handed in. */
function showRules(page: HTMLElement, form: FormSpec, sheet: Sheet): void {
  page.querySelectorAll("[data-rule]").forEach((line) => line.remove());
  for (const rule of form.rules) {
    const drawn = placeOf(page, rule.at);
    if (!drawn || !sheet.isShown(rule.at) || isTrue(takenIn(answer(rule.check, sheet, form.today))) !== false) continue;
    const faults = drawn.querySelector(":scope > [data-faults]");
    const isTold = [...(faults?.querySelectorAll(".errors") ?? [])].some((line) => line.textContent?.includes(rule.message.replace(/。$/, "")));
    if (isTold) continue;
    const line = document.createElement("p");
    line.className = rule.is_warning ? "sheet-warning" : "errors";
    line.dataset["rule"] = "";
    line.textContent = rule.message;
    faults?.append(line);
  }
}

