/** A definition as it lies in the draft: the format of packs. Parts the builder does not know are kept as they are. */
export interface Words {
  zh: string;
  en?: string;
}

export interface Option {
  code: string;
  title: Words | string;
}

export interface Field {
  key: string;
  title?: Words | string;
  element?: string;
  type?: string;
  help?: Words | string;
  required?: boolean | string;
  shown_if?: string;
  calculated?: string;
  unit?: string;
  length?: number;
  minimum?: number | string;
  maximum?: number | string;
  places?: number;
  code_set?: string;
  options?: Option[];
  columns?: Field[];
  register?: string;
  is_half?: boolean;
}

export interface Section {
  key: string;
  title: Words | string;
  note?: Words | string;
  shown_if?: string;
  fields: Field[];
}

export interface Outcome {
  key: string;
  title: Words | string;
  to: string;
  needs_reason?: boolean;
  tone?: string;
}

export type Span = { working_days?: number; days?: number; hours?: number };

export interface Who {
  role?: string;
  at?: string;
  each?: boolean;
  filer?: boolean;
  class_teacher?: boolean;
  named_in?: string;
  pool?: string;
  count?: number;
  avoid?: string[];
  owner_of?: string;
  function?: string;
  otherwise?: Who;
}

export interface Late {
  after?: Span;
  tell?: Who;
  outcome?: string;
}

export interface Stage {
  key: string;
  title: Words | string;
  who: Who;
  decide?: string;
  quorum?: number;
  score?: string;
  tolerance?: number | string;
  arbiter?: Who;
  outcomes: Outcome[];
  when?: string;
  fields?: Field[];
  edits?: string[];
  due?: Span;
  remind?: Span[];
  late?: Late;
  may?: string[];
}

export interface Entry {
  register: string;
  each?: string;
  when?: string;
  org?: string;
  state?: string;
  set?: Record<string, string>;
}

export interface End {
  key: string;
  title: Words | string;
  result: string;
  certificate?: string;
  entries?: Entry[];
  function?: string;
}

export interface Body {
  key: string;
  title: Words | string;
  note?: Words | string;
  about?: string;
  sections?: Section[];
  form?: string;
  prefix?: string;
  filed_by?: { roles?: string[]; anyone?: boolean; at?: string[] };
  see?: string[];
  promise?: Span;
  stages?: Stage[];
  ends?: End[];
  [other: string]: unknown;
}

export interface Finding {
  path: string;
  reason: string;
  remedy: string;
  is_error: boolean;
  link: string;
}

/** A field of a form or register that a flow names; `experts.person` for a column of a table. */
export interface Named {
  key: string;
  title: string;
  type: string;
  options?: Pair[];
}

/** What a body names, as it is in force now: the fields of its form, the fields and states of its registers. */
export interface Around {
  fields: Named[];
  registers: Record<string, { fields: Named[]; states: Pair[] }>;
}

export interface State {
  revision: number;
  body: Body;
  saved_at: string;
  findings: Finding[];
  is_sound: boolean;
  preview: string;
  around: Around;
}

export interface Element {
  code: string;
  name: string;
  zh: string;
  type: string;
  department: string;
  source: string;
}

export type Pair = [string, string];

export interface Settings {
  kind: "form" | "flow";
  saveUrl: string;
  elementsUrl: string;
  types: Pair[];
  registers: Pair[];
  forms: Pair[];
  code_sets: Pair[];
  elements: Record<string, Element>;
  pools: Pair[];
  certificates: Pair[];
  elementCodes: Pair[];
  words: Record<string, string>;
}

export function zh(words: Words | string | undefined): string {
  return typeof words === "string" ? words : (words?.zh ?? "");
}

export function en(words: Words | string | undefined): string {
  return typeof words === "string" ? "" : (words?.en ?? "");
}

/** The words in the language of the page, as far as they are said in it. */
export function said(words: Words | string | undefined): string {
  return (document.documentElement.lang.startsWith("en") && en(words)) || zh(words);
}

/** The words with one language changed; empty English is left out, as packs write it. */
export function told(words: Words | string | undefined, language: "zh" | "en", text: string): Words {
  const both = { zh: zh(words), en: en(words), [language]: text };
  return both.en ? { zh: both.zh, en: both.en } : { zh: both.zh };
}

/** A key that is not yet taken: f1, f2, … */
export function freeKey(letter: string, taken: Iterable<string>): string {
  const known = new Set(taken);
  let number = known.size + 1;
  while (known.has(`${letter}${number}`)) number += 1;
  return `${letter}${number}`;
}

export function move<Thing>(things: Thing[], from: number, to: number): void {
  if (to < 0 || to >= things.length || from === to) return;
  const [thing] = things.splice(from, 1);
  if (thing !== undefined) things.splice(to, 0, thing);
}

export function allFields(body: Body): Field[] {
  return [...(body.sections ?? []), ...(body.stages ?? [])].flatMap((part) => part.fields ?? []);
}

/** A property that is empty is not written at all, as in a pack written by hand. */
export function put<Thing extends object, Key extends keyof Thing>(thing: Thing, key: Key, value: Thing[Key] | undefined | ""): void {
  const isEmpty = value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0);
  if (isEmpty) delete thing[key];
  else thing[key] = value as Thing[Key];
}

/** Bodies as they were, to be gone back to and forth again; what follows one another quickly at one place is one step. */
export class History {
  private past: string[] = [];
  private future: string[] = [];
  private lastPlace = "";
  private lastAt = 0;

  constructor(private present: string) {}

  record(body: Body, place: string): void {
    const text = JSON.stringify(body);
    if (text === this.present) return;
    const now = Date.now();
    if (place === "" || place !== this.lastPlace || now - this.lastAt > 1500) this.past.push(this.present);
    if (this.past.length > 200) this.past.shift();
    [this.lastPlace, this.lastAt] = [place, now];
    this.present = text;
    this.future = [];
  }

  get mayUndo(): boolean {
    return this.past.length > 0;
  }

  get mayRedo(): boolean {
    return this.future.length > 0;
  }

  undo(): Body | undefined {
    return this.step(this.past, this.future);
  }

  redo(): Body | undefined {
    return this.step(this.future, this.past);
  }

  private step(from: string[], to: string[]): Body | undefined {
    const found = from.pop();
    if (found === undefined) return undefined;
    to.push(this.present);
    this.present = found;
    this.lastPlace = "";
    return JSON.parse(found) as Body;
  }
}
