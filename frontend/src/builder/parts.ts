import type { Pair } from "./model";

type Child = Node | string | null | undefined | false;

/** An element with its properties; `on…` are listeners, `data…` and `aria-…` attributes. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on") && typeof value === "function") element.addEventListener(key.slice(2), value as EventListener);
    else if (key === "value" || key === "checked") Reflect.set(element, key, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

let counter = 0;

/** A label above its box, with help below. `path` ties findings to it. */
export function labelled(label: string, box: HTMLElement, help = "", path = ""): HTMLElement {
  counter += 1;
  box.id ||= `builder-${counter}`;
  if (path) box.dataset["name"] ??= path;
  const told = help ? h("p", { class: "help", id: `${box.id}-help` }, help) : null;
  if (told) box.setAttribute("aria-describedby", told.id);
  const faults = h("div", { "data-faults-at": path || undefined });
  return h("div", { class: "field builder-field" }, h("label", { for: box.id }, label), box, told, faults);
}

export function textBox(value: string, onChange: (value: string) => void, extra: Record<string, unknown> = {}): HTMLInputElement {
  const box: HTMLInputElement = h("input", { type: "text", class: "form-control", value, oninput: () => onChange(box.value), ...extra });
  return box;
}

export function numberBox(value: number | string | undefined, onChange: (value: number | undefined) => void): HTMLInputElement {
  const box = textBox(value === undefined ? "" : String(value), (text) => {
    const number = Number(text);
    onChange(text.trim() === "" || Number.isNaN(number) ? undefined : number);
  });
  box.inputMode = "decimal";
  return box;
}

export function areaBox(value: string, onChange: (value: string) => void): HTMLTextAreaElement {
  const box: HTMLTextAreaElement = h("textarea", { class: "form-control", rows: 2, value, oninput: () => onChange(box.value) });
  return box;
}

export function selectBox(pairs: Pair[], value: string, onChange: (value: string) => void): HTMLSelectElement {
  const box: HTMLSelectElement = h(
    "select",
    { class: "form-select", onchange: () => onChange(box.value) },
    ...pairs.map(([code, words]) => h("option", { value: code }, words)),
  );
  // What a pack says and this list does not know must not change only because it is shown.
  if (value && !pairs.some(([code]) => code === value)) box.append(h("option", { value }, value));
  box.value = value;
  return box;
}

/** Any number of a few; what was ticked is told in the order of the list. */
export function checkBoxes(label: string, pairs: Pair[], values: readonly string[], onChange: (values: string[]) => void, path = ""): HTMLElement {
  const chosen = new Set(values);
  const boxes = pairs.map(([code, words]) =>
    checkBox(words, chosen.has(code), (value) => {
      if (value) chosen.add(code);
      else chosen.delete(code);
      const known = pairs.map(([one]) => one);
      onChange([...known.filter((one) => chosen.has(one)), ...[...chosen].filter((one) => !known.includes(one))]);
    }),
  );
  return h("fieldset", { class: "builder-checks" }, h("legend", {}, label), ...boxes, h("div", { "data-faults-at": path || undefined }));
}

export function fold(words: string, isOpen: boolean, ...children: Child[]): HTMLDetailsElement {
  return h("details", { open: isOpen }, h("summary", {}, words), ...children);
}

/** A box with a select beside it, under one label. */
export function besides(field: HTMLElement, other: HTMLSelectElement, label: string): HTMLElement {
  const box = field.querySelector<HTMLElement>(".form-control");
  const pair = h("div", { class: "builder-span" });
  other.setAttribute("aria-label", label);
  box?.replaceWith(pair);
  pair.append(...(box ? [box] : []), other);
  return field;
}

export function checkBox(label: string, value: boolean, onChange: (value: boolean) => void): HTMLElement {
  const box: HTMLInputElement = h("input", { type: "checkbox", checked: value, onchange: () => onChange(box.checked) });
  return h("label", { class: "check" }, box, label);
}

/** A button known by a name that is the same after everything was drawn anew, so that the focus stays on it. */
export function button(words: string, name: string, onClick: () => void, extra: Record<string, unknown> = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "btn btn-quiet", "data-name": name, onclick: onClick, ...extra }, words);
}

export function small(sign: string, words: string, name: string, onClick: () => void, isOff = false): HTMLButtonElement {
  const found = button(sign, name, onClick, { "aria-label": words, title: words, class: "btn btn-quiet btn-icon builder-small" });
  found.disabled = isOff;
  return found;
}
