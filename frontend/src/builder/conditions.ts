import { h, labelled, selectBox, textBox } from "./parts";
import type { Named, Pair } from "./model";

interface Simple {
  field: string;
  operator: string;
  value: string;
}

const COMPARED: Record<string, string> = { is: "==", not: "!=", more: ">", less: "<", contains: "in" };
const NUMBERS = new Set(["integer", "decimal"]);

/** The simple conditions that can be chosen: one field, one operator, one value. */
export function readCondition(text: string): Simple | undefined {
  const filled = /^(not )?filled\((\w+)\)$/.exec(text.trim());
  if (filled) return { field: filled[2] ?? "", operator: filled[1] ? "empty" : "filled", value: "" };
  const chosen = /^'([^'\\]*)' in (\w+)$/.exec(text.trim());
  if (chosen) return { field: chosen[2] ?? "", operator: "contains", value: chosen[1] ?? "" };
  const compared = /^(\w+) (==|!=|>|<) ('([^'\\]*)'|-?\d+(\.\d+)?|True|False)$/.exec(text.trim());
  if (!compared) return undefined;
  const operator = Object.entries(COMPARED).find(([, sign]) => sign === compared[2])?.[0] ?? "is";
  const value = compared[4] ?? (compared[3]?.startsWith("'") ? "" : (compared[3] ?? ""));
  return { field: compared[1] ?? "", operator, value };
}

export function writeCondition({ field, operator, value }: Simple, type: string): string {
  if (!field) return "";
  if (operator === "filled") return `filled(${field})`;
  if (operator === "empty") return `not filled(${field})`;
  if (operator === "contains") return `${quoted(value)} in ${field}`;
  return `${field} ${COMPARED[operator] ?? "=="} ${literal(value, type)}`;
}

function literal(value: string, type: string): string {
  if (type === "boolean") return value === "False" ? "False" : "True";
  if (NUMBERS.has(type)) return /^-?\d+(\.\d+)?$/.test(value.trim()) ? value.trim() : "0";
  return quoted(value);
}

function quoted(value: string): string {
  return `'${value.replace(/['\\]/g, "")}'`;
}

/** Chosen by three boxes, or written as an expression; both are the same text. */
export function conditionBox(
  label: string,
  text: string,
  names: Named[],
  words: Record<string, string>,
  path: string,
  onChange: (text: string) => void,
  without = words["always"] ?? "",
): HTMLElement {
  const place = h("div", { class: "builder-condition" });
  let told = text;
  const say = (changed: string): void => {
    told = changed;
    onChange(changed);
  };
  const draw = (isWritten: boolean): void => {
    const simple = told ? readCondition(told) : { field: "", operator: "is", value: "" };
    const known = simple && (simple.field === "" || names.some((name) => name.key === simple.field));
    if (isWritten || !simple || !known) {
      const box = textBox(told, say, { spellcheck: false, autocapitalize: "off" });
      place.replaceChildren(labelled(label, box, words["conditionText"] ?? "", path), back(() => draw(false)));
      return;
    }
    place.replaceChildren(...chosen(simple, draw));
  };
  const back = (go: () => void): HTMLElement | string => {
    if (told && !readCondition(told)) return "";
    return h("button", { type: "button", class: "btn btn-quiet", onclick: go }, words["conditionField"] ?? "");
  };
  const chosen = (simple: Simple, again: (isWritten: boolean) => void): HTMLElement[] => {
    const field = names.find((name) => name.key === simple.field);
    const type = field?.type ?? "text";
    const change = (part: Partial<Simple>): void => {
      Object.assign(simple, part);
      const now = names.find((name) => name.key === simple.field)?.type ?? "text";
      say(writeCondition(simple, now));
    };
    const fields: Pair[] = [["", without], ...names.map((name): Pair => [name.key, `${name.title}（${name.key}）`])];
    const fieldBox = selectBox(fields, simple.field, (key) => {
      const kind = names.find((name) => name.key === key)?.type ?? "text";
      change({ field: key, operator: kind === "codes" ? "contains" : "is", value: kind === "boolean" ? "True" : "" });
      again(false);
    });
    const parts = [labelled(label, fieldBox, "", path)];
    if (simple.field) {
      const signs = selectBox(operators(type, words), simple.operator, (operator) => {
        change({ operator });
        again(false);
      });
      parts.push(labelled(words["condition"] ?? "", signs));
      if (!["filled", "empty"].includes(simple.operator)) parts.push(labelled(words["conditionValue"] ?? "", valueBox(simple, field, words, change)));
    }
    parts.push(h("button", { type: "button", class: "btn btn-quiet", onclick: () => again(true) }, words["conditionText"] ?? ""));
    return parts;
  };
  draw(false);
  return place;
}

function valueBox(simple: Simple, field: Named | undefined, words: Record<string, string>, change: (part: Partial<Simple>) => void): HTMLElement {
  if (field?.options?.length) {
    const first: Pair[] = field.options.some(([code]) => code === simple.value) ? [] : [["", "—"]];
    return selectBox([...first, ...field.options], simple.value, (value) => change({ value }));
  }
  if (field?.type === "boolean") return selectBox([["True", words["yes"] ?? ""], ["False", words["no"] ?? ""]], simple.value, (value) => change({ value }));
  return textBox(simple.value, (value) => change({ value }));
}

function operators(type: string, words: Record<string, string>): Pair[] {
  const both: Pair[] = [["filled", words["opFilled"] ?? ""], ["empty", words["opEmpty"] ?? ""]];
  if (type === "codes") return [["contains", words["opContains"] ?? ""], ...both];
  if (["table", "file", "signature", "place", "person", "org", "entry"].includes(type)) return both;
  const equal: Pair[] = [["is", words["opIs"] ?? ""], ["not", words["opNot"] ?? ""]];
  const ordered: Pair[] = NUMBERS.has(type) ? [["more", words["opMore"] ?? ""], ["less", words["opLess"] ?? ""]] : [];
  return [...equal, ...ordered, ...both];
}
