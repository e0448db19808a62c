// A form being filled, as `casework/rules/sheet.py`: names are worked out when somebody asks for them.
import { answer, Fraction, fractionOf, isTrue, partOf, type Lookup, type Tree } from "./answers";

export interface FieldSpec {
  key: string;
  type: string;
  section?: string;
  shown_if?: Tree;
  calculated?: Tree;
  required?: true | Tree;
  places?: number;
  unit?: string;
  grouped?: boolean;
  minimum?: string;
  maximum?: string;
  most?: number;
  columns?: FieldSpec[];
}

export interface RuleSpec {
  check: Tree;
  message: string;
  at: string;
  is_warning: boolean;
}

export interface FormSpec {
  key: string;
  today: string;
  sections: { key: string; shown_if: Tree | null }[];
  fields: FieldSpec[];
  rules: RuleSpec[];
}

export type Data = { [key: string]: unknown };

const LARGEST = new Fraction(2n ** 53n - 1n);

export function isBlank(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every((part) => part === "" || part === null);
}

function numberOf(field: FieldSpec, told: unknown): Fraction | null {
  const text = typeof told === "string" ? told.normalize("NFKC").replace(/[, ]/g, "") : String(told);
  const exact = told instanceof Fraction ? told : /e/i.test(text) && typeof told === "string" ? null : fractionOf(text);
  if (!exact || exact.compare(LARGEST) > 0 || new Fraction(-exact.top, exact.bottom).compare(LARGEST) > 0) return null;
  if (field.type === "integer" && !exact.isWhole) return null;
  const number = field.type === "decimal" ? exact.rounded(field.places ?? 0) : exact;
  const [low, high] = [fractionOf(field.minimum ?? ""), fractionOf(field.maximum ?? "")];
  return (low && number.compare(low) < 0) || (high && number.compare(high) > 0) ? null : number;
}

/** One value as expressions see it; what cannot be read is not there. */
export function readSingle(field: FieldSpec, told: unknown): unknown {
  if (isBlank(told)) return null;
  if (field.type === "integer" || field.type === "decimal") return numberOf(field, told);
  if (field.type === "boolean") return told === true || told === "true" ? true : told === false || told === "false" ? false : null;
  if (field.type === "text" && typeof told === "string") return told.normalize("NFC").trim().split(/\s+/).join(" ") || null;
  if (field.type === "paragraph" && typeof told === "string") return told.normalize("NFC").replace(/\r\n?/g, "\n").trim() || null;
  if (told instanceof Fraction) return field.type === "text" ? told.toString() : null;
  return told;
}

abstract class Cells implements Lookup {
  private readonly kept = new Map<string, unknown>();
  private readonly shownKeys = new Map<string, boolean>();
  private readonly busy = new Set<string>();
  readonly fields: Map<string, FieldSpec>;
  readonly told: Data;
  readonly today: string;

  constructor(fields: FieldSpec[], told: Data, today: string) {
    this.fields = new Map(fields.map((field) => [field.key, field]));
    this.told = told;
    this.today = today;
  }

  abstract value(name: string): unknown;
  abstract part(name: string, part: string): unknown;

  protected shows(field: FieldSpec): boolean {
    return this.holds(field.shown_if ?? null);
  }

  holds(tree: Tree | null): boolean {
    return !tree || this.truth(tree) === true;
  }

  truth(tree: Tree): boolean | null {
    return isTrue(answer(tree, this, this.today));
  }

  isShown(key: string): boolean {
    const known = this.shownKeys.get(key);
    if (known !== undefined) return known;
    const field = this.fields.get(key);
    const mark = `?${key}`;
    if (!field || this.busy.has(mark)) return false;
    this.busy.add(mark);
    const shown = this.shows(field);
    this.busy.delete(mark);
    this.shownKeys.set(key, shown);
    return shown;
  }

  isRequired(field: FieldSpec): boolean {
    return field.required === true || (Array.isArray(field.required) && this.truth(field.required) === true);
  }

  cell(key: string): unknown {
    if (this.kept.has(key)) return this.kept.get(key);
    const field = this.fields.get(key);
    if (!field || this.busy.has(key)) return null;
    this.busy.add(key);
    const value = this.isShown(key) ? this.workedOut(field) : null;
    this.busy.delete(key);
    this.kept.set(key, value);
    return value;
  }

  protected workedOut(field: FieldSpec): unknown {
    return readSingle(field, field.calculated ? answer(field.calculated, this, this.today) : this.told[field.key]);
  }
}

export class SheetRow extends Cells {
  private readonly sheet: Sheet;

  constructor(sheet: Sheet, field: FieldSpec, told: Data) {
    super(field.columns ?? [], told, sheet.today);
    this.sheet = sheet;
  }

  value(name: string): unknown {
    return this.fields.has(name) ? this.cell(name) : this.sheet.value(name);
  }

  part(name: string, part: string): unknown {
    return this.fields.has(name) ? partOf(this.cell(name), part) : this.sheet.part(name, part);
  }

  filled(): Data {
    const cells = [...this.fields.keys()].map((key): [string, unknown] => [key, this.cell(key)]);
    return Object.fromEntries(cells.filter(([, value]) => value !== null));
  }
}

export class Sheet extends Cells {
  private readonly form: FormSpec;
  private readonly tables = new Map<string, SheetRow[]>();

  constructor(form: FormSpec, told: Data) {
    super(form.fields, told, form.today);
    this.form = form;
  }

  protected override shows(field: FieldSpec): boolean {
    const section = this.form.sections.find((one) => one.key === field.section);
    return this.holds(section?.shown_if ?? null) && super.shows(field);
  }

  value(name: string): unknown {
    return this.fields.has(name) ? this.cell(name) : null;
  }

  part(name: string, part: string): unknown {
    const field = this.fields.get(name);
    if (field?.type !== "table") return partOf(this.value(name), part);
    const rows = this.isShown(name) ? this.filledRows(field) : [];
    return rows.map((row) => (row.fields.has(part) ? row.cell(part) : null));
  }

  /** One for every row on the page, empty ones too. */
  rows(field: FieldSpec): SheetRow[] {
    const known = this.tables.get(field.key);
    if (known) return known;
    const told = this.told[field.key];
    const rows = (Array.isArray(told) ? told : []).map((row: Data) => new SheetRow(this, field, row));
    this.tables.set(field.key, rows);
    return rows;
  }

  private filledRows(field: FieldSpec): SheetRow[] {
    return this.rows(field).filter((row) => Object.values(row.told).some((value) => !isBlank(value)));
  }

  protected override workedOut(field: FieldSpec): unknown {
    if (field.type !== "table") return super.workedOut(field);
    const rows = this.filledRows(field).map((row) => row.filled());
    return rows.length ? rows : null;
  }
}
