// What expressions of forms answer: the same as `casework/rules/answers.py`, to the last digit; changed together.

export type Tree = unknown[];
export type Value = null | boolean | string | Fraction | Value[] | { [part: string]: unknown };

export interface Lookup {
  value(name: string): unknown;
  part(name: string, part: string): unknown;
}

const LAST_PLACE = 12;
const TEXT_PLACES = 6;

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

/** An exact number. */
export class Fraction {
  readonly top: bigint;
  readonly bottom: bigint;

  constructor(top: bigint, bottom: bigint = 1n) {
    const common = gcd(top, bottom) || 1n;
    const sign = bottom < 0n ? -1n : 1n;
    this.top = (sign * top) / common;
    this.bottom = (sign * bottom) / common;
  }

  get isWhole(): boolean {
    return this.bottom === 1n;
  }

  compare(other: Fraction): number {
    const difference = this.top * other.bottom - other.top * this.bottom;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  /** Halves away from zero. */
  rounded(places: number): Fraction {
    const scale = 10n ** BigInt(places);
    const top = (this.top < 0n ? -this.top : this.top) * scale;
    const whole = (2n * top + this.bottom) / (2n * this.bottom);
    return new Fraction(this.top < 0n ? -whole : whole, scale);
  }

  /** With exactly so many places. */
  fixed(places: number): string {
    const scaled = this.rounded(places);
    const whole = (scaled.top * 10n ** BigInt(places)) / scaled.bottom;
    const digits = (whole < 0n ? -whole : whole).toString().padStart(places + 1, "0");
    const sign = whole < 0n ? "-" : "";
    return places ? `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}` : sign + digits;
  }

  toString(places: number = LAST_PLACE): string {
    const text = this.fixed(places);
    return places ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
  }
}

/** A number as it is written, with an exponent or without; null for anything else. */
export function fractionOf(text: string): Fraction | null {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i.exec(text);
  if (!found || !((found[2] ?? "") + (found[3] ?? ""))) return null;
  const places = (found[3] ?? "").length - Number(found[4] ?? 0);
  const top = BigInt((found[2] ?? "") + (found[3] ?? "")) * (found[1] === "-" ? -1n : 1n);
  return places >= 0 ? new Fraction(top, 10n ** BigInt(places)) : new Fraction(top * 10n ** BigInt(-places));
}

export function takenIn(value: unknown): Value {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value === "boolean" || typeof value === "string" || value instanceof Fraction) return value;
  if (typeof value === "number") return Number.isFinite(value) ? fractionOf(String(value)) : null;
  if (Array.isArray(value)) return value.map(takenIn);
  const parts = value as { [part: string]: unknown };
  const id = parts["id"] || parts["person"];
  if (typeof id === "string") return id;
  return Object.keys(parts).length ? parts : null;
}

export function partOf(value: unknown, part: string): unknown {
  if (Array.isArray(value)) return value.map((row) => (isParts(row) ? (row[part] ?? null) : null));
  return isParts(value) ? (value[part] ?? null) : null;
}

function isParts(value: unknown): value is { [part: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Fraction);
}

function asText(value: Value): string | null {
  if (typeof value === "string") return value;
  return value instanceof Fraction ? value.toString(TEXT_PLACES) : null;
}

function added(left: Value, right: Value): Value {
  if (left instanceof Fraction && right instanceof Fraction) {
    return new Fraction(left.top * right.bottom + right.top * left.bottom, left.bottom * right.bottom);
  }
  if (typeof left !== "string" && typeof right !== "string") return null;
  const [first, second] = [asText(left), asText(right)];
  return first === null || second === null ? null : first + second;
}

function floorOf(top: bigint, bottom: bigint): bigint {
  const whole = top / bottom;
  return top % bottom !== 0n && top < 0n !== bottom < 0n ? whole - 1n : whole;
}

function calculated(sign: string, left: Value, right: Value): Value {
  if (sign === "+") return added(left, right);
  if (!(left instanceof Fraction) || !(right instanceof Fraction)) return null;
  if (sign === "-") return new Fraction(left.top * right.bottom - right.top * left.bottom, left.bottom * right.bottom);
  if (sign === "*") return new Fraction(left.top * right.top, left.bottom * right.bottom);
  if (right.top === 0n) return null;
  if (sign === "/") return new Fraction(left.top * right.bottom, left.bottom * right.top);
  const [top, bottom] = [left.top * right.bottom, left.bottom * right.top];
  const whole = floorOf(bottom < 0n ? -top : top, bottom < 0n ? -bottom : bottom);
  if (sign === "//") return new Fraction(whole);
  return calculated("-", left, new Fraction(whole * right.top, right.bottom));
}

function byCodePoints(left: string, right: string): number {
  const [one, other] = [[...left], [...right]];
  for (let place = 0; place < Math.min(one.length, other.length); place++) {
    const difference = one[place]!.codePointAt(0)! - other[place]!.codePointAt(0)!;
    if (difference) return difference;
  }
  return one.length - other.length;
}

function equal(left: Value, right: Value): boolean {
  if (left instanceof Fraction && right instanceof Fraction) return left.compare(right) === 0;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((one, place) => equal(one, right[place] ?? null));
  }
  if (isParts(left) && isParts(right)) return JSON.stringify(left) === JSON.stringify(right);
  return left === right;
}

function same(left: Value, right: Value): boolean | null {
  return left === null || right === null ? null : equal(left, right);
}

function ordered(left: Value, right: Value): number | null {
  if (left instanceof Fraction && right instanceof Fraction) return left.compare(right);
  return typeof left === "string" && typeof right === "string" ? byCodePoints(left, right) : null;
}

function compared(sign: string, left: Value, right: Value): boolean | null {
  if (sign === "==" || sign === "!=") {
    const found = same(left, right);
    return found === null ? null : found === (sign === "==");
  }
  const order = ordered(left, right);
  if (order === null) return null;
  if (sign === "<") return order < 0;
  if (sign === "<=") return order <= 0;
  return sign === ">" ? order > 0 : order >= 0;
}

export function isTrue(value: Value): boolean | null {
  return value === null || typeof value === "boolean" ? value : true;
}

export function isFilled(value: Value): boolean {
  if (value === null || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isParts(value) || Object.keys(value).length > 0;
}

function allTrue(values: (boolean | null)[]): boolean | null {
  return values.includes(false) ? false : values.includes(null) ? null : true;
}

function anyTrue(values: (boolean | null)[]): boolean | null {
  return values.includes(true) ? true : values.includes(null) ? null : false;
}

function total(values: Value[]): Value {
  let sum = new Fraction(0n);
  for (const one of values.flatMap((value) => (Array.isArray(value) ? value : [value]))) {
    const number = typeof one === "boolean" ? new Fraction(one ? 1n : 0n) : one;
    if (number instanceof Fraction) sum = added(sum, number) as Fraction;
  }
  return sum;
}

function extreme(values: Value[], sign: number): Value {
  const first = values[0];
  const told = values.length === 1 && Array.isArray(first) ? first.filter((one) => one !== null) : values;
  let best: Value = told[0] ?? null;
  if (best === null || ordered(best, best) === null) return null;
  for (const one of told) {
    const order = ordered(one, best);
    if (order === null) return null;
    if (order * sign > 0) best = one;
  }
  return best;
}

type Day = [year: number, month: number, day: number];

export function dayOf(value: Value): Day | null {
  const found = typeof value === "string" ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(value) : null;
  if (!found) return null;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const date = stamp([year, month, day]);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? [year, month, day] : null;
}

function stamp([year, month, day]: Day): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}

function whole(number: number): Fraction {
  return new Fraction(BigInt(number));
}

function called(name: string, told: Value[]): Value {
  const [first = null, second = null] = told;
  const [begin, end] = [dayOf(first), dayOf(second)];
  switch (name) {
    case "sum":
      return total(told);
    case "count":
      return whole(Array.isArray(first) ? first.filter(isFilled).length : 0);
    case "min":
      return extreme(told, -1);
    case "max":
      return extreme(told, 1);
    case "round": {
      const places = told.length > 1 ? second : whole(0);
      if (!(first instanceof Fraction) || !(places instanceof Fraction) || !places.isWhole) return null;
      return places.top >= 0n && places.top <= BigInt(LAST_PLACE) ? first.rounded(Number(places.top)) : null;
    }
    case "abs":
      return first instanceof Fraction ? new Fraction(first.top < 0n ? -first.top : first.top, first.bottom) : null;
    case "len":
      return typeof first === "string" || Array.isArray(first) ? whole([...first].length) : null;
    case "filled":
      return isFilled(first);
    case "days":
      return begin && end ? whole((stamp(end).getTime() - stamp(begin).getTime()) / 86_400_000) : null;
    case "years":
      if (!begin || !end) return null;
      return whole(end[0] - begin[0] - (end[1] * 100 + end[2] < begin[1] * 100 + begin[2] ? 1 : 0));
    case "year":
      return begin ? whole(begin[0]) : null;
    default:
      return null;
  }
}

/** The answer of a tree over names that are looked up; null where it cannot be told yet. */
export function answer(tree: Tree, lookup: Lookup, today: string): Value {
  const [kind, ...rest] = tree as [string, ...unknown[]];
  const inner = (part: unknown): Value => answer(part as Tree, lookup, today);
  switch (kind) {
    case "number":
      return fractionOf(rest[0] as string);
    case "text":
    case "truth":
      return rest[0] as Value;
    case "today":
      return today;
    case "name":
      return takenIn(lookup.value(rest[0] as string));
    case "part":
      return takenIn(lookup.part(rest[0] as string, rest[1] as string));
    case "act":
      return calculated(rest[0] as string, inner(rest[1]), inner(rest[2]));
    case "compare":
      return compared(rest[0] as string, inner(rest[1]), inner(rest[2]));
    case "call":
      return called(rest[0] as string, rest.slice(1).map(inner));
    case "and":
      return allTrue(rest.map((part) => isTrue(inner(part))));
    case "or":
      return anyTrue(rest.map((part) => isTrue(inner(part))));
    case "not": {
      const truth = isTrue(inner(rest[0]));
      return truth === null ? null : !truth;
    }
    case "in": {
      const [one, among] = [inner(rest[0]), inner(rest[1])];
      return one === null || !Array.isArray(among) ? null : anyTrue(among.map((other) => same(one, other)));
    }
    case "if": {
      const truth = isTrue(inner(rest[0]));
      return truth === null ? null : inner(rest[truth ? 1 : 2]);
    }
    case "list":
      return rest.map(inner);
    default:
      return null;
  }
}
