import { conditionBox } from "./conditions";
import { type Editor, elementOf, titleOf, typeOf, word } from "./editor";
import { drawFields } from "./form";
import { type Element, type Field, type Named, type Option, type Pair, en, freeKey, move, put, said, told, zh } from "./model";
import { keyBox } from "./names";
import { areaBox, button, checkBox, h, labelled, numberBox, selectBox, small, textBox } from "./parts";

const PLAIN_KEY = /^[fc]\d+$/;

/** Fields as conditions name them. */
export function namesFor(editor: Editor, fields: Field[]): Named[] {
  return fields.map((field) => ({
    key: field.key,
    title: titleOf(editor, field),
    type: typeOf(editor, field),
    options: (field.options ?? []).map((option): Pair => [option.code, said(option.title)]),
  }));
}

/** All that can be said of one field. `around` are the fields that its conditions may name. */
export function drawField(editor: Editor, field: Field, fields: Field[], path: string, around: Field[], summarize: () => void): HTMLElement {
  const keep = (place: string): void => {
    summarize();
    editor.changed(`${path}.${place}`);
  };
  const element = elementOf(editor, field);
  const others = [...editor.around.fields, ...namesFor(editor, around.filter((other) => other !== field))];
  const parts: (HTMLElement | null)[] = [element ? bound(editor, field, element, path) : titleBox(editor, field, fields, path, keep)];
  if (!element) parts.push(labelled(word(editor, "type"), selectBox(editor.settings.types, typeOf(editor, field), (type) => changeType(editor, field, type, path)), "", `${path}.type`));
  const type = typeOf(editor, field);
  if (!field.calculated && !element?.source) {
    const required = checkBox(word(editor, "required"), field.required === true, (value) => {
      put(field, "required", value);
      keep("required");
      editor.redraw(`required-${path}`);
    });
    required.querySelector("input")?.setAttribute("data-name", `required-${path}`);
    parts.push(required);
  }
  if (!element && (type === "code" || type === "codes")) parts.push(drawOptions(editor, field, path, keep));
  if (type === "entry") parts.push(labelled(word(editor, "register"), selectBox(editor.settings.registers, field.register ?? "", (key) => {
    put(field, "register", key);
    keep("register");
  }), "", `${path}.register`));
  parts.push(more(editor, field, fields, path, type, others, keep));
  if (field.columns) parts.push(h("h3", { class: "h4" }, word(editor, "column")), drawFields(editor, field.columns, `${path}.columns`, [...field.columns, ...around], true));
  return h("div", { class: "builder-inside" }, ...parts);
}

function more(editor: Editor, field: Field, fields: Field[], path: string, type: string, others: Named[], keep: (place: string) => void): HTMLElement {
  const say = (key: "help", text: string): void => {
    put(field, key, text ? told(field[key], "zh", text) : "");
    keep(key);
  };
  const number = (key: "length" | "minimum" | "maximum" | "places", label: string): HTMLElement =>
    labelled(word(editor, label), numberBox(field[key], (value) => {
      put(field, key, value);
      keep(key);
    }), "", `${path}.${key}`);
  const condition = (key: "shown_if" | "required", label: string, text: string, without: string): HTMLElement =>
    conditionBox(word(editor, label), text, others, editor.words, `${path}.${key}`, (changed) => {
      put(field, key, changed);
      keep(key);
    }, word(editor, without));
  const parts = [
    labelled(word(editor, "help"), areaBox(zh(field.help), (text) => say("help", text))),
    condition("shown_if", "shownIf", field.shown_if ?? "", "always"),
  ];
  if (!field.calculated && field.required !== true) parts.push(condition("required", "requiredIf", typeof field.required === "string" ? field.required : "", "noCondition"));
  if (!field.columns) parts.push(labelled(word(editor, "calculated"), textBox(field.calculated ?? "", (text) => {
    put(field, "calculated", text);
    keep("calculated");
  }, { spellcheck: false }), word(editor, "calculatedHelp"), `${path}.calculated`));
  if (type === "text" || type === "paragraph") parts.push(number("length", "length"));
  if (type === "integer" || type === "decimal") {
    parts.push(number("minimum", "minimum"), number("maximum", "maximum"), labelled(word(editor, "unit"), textBox(field.unit ?? "", (text) => {
      put(field, "unit", text);
      keep("unit");
    })));
  }
  if (type === "decimal") parts.push(number("places", "places"));
  parts.push(checkBox(word(editor, "half"), Boolean(field.is_half), (value) => {
    put(field, "is_half", value);
    keep("is_half");
  }), labelled(word(editor, "key"), keyBox(field.key, fields.map((other) => other.key), (key) => rename(editor, field, key, path)), word(editor, "keyHelp"), `${path}.key`));
  return h("details", { class: "builder-more" }, h("summary", {}, word(editor, "advanced")), ...parts);
}

/** While a title is typed, data elements that the region has are offered: what there is is taken, not made again. */
function titleBox(editor: Editor, field: Field, fields: Field[], path: string, keep: (place: string) => void): HTMLElement {
  const offers = h("div", { class: "builder-offers", role: "status", "aria-live": "polite" });
  let waiting = 0;
  const look = async (text: string): Promise<void> => {
    const answer = await fetch(`${editor.settings.elementsUrl}?q=${encodeURIComponent(text)}`).catch(() => undefined);
    if (!answer?.ok) return;
    const found = ((await answer.json()) as { elements: Element[] }).elements;
    if (zh(field.title) !== text) return;
    offers.replaceChildren(
      ...(found.length ? [h("p", {}, word(editor, "asked"))] : []),
      ...found.map((element) => {
        const words = element.department ? `${element.name}（${element.department}）` : element.name;
        return button(words, `take-${element.code}`, () => take(editor, field, fields, element, path), { class: "btn btn-sm" });
      }),
    );
  };
  const box = textBox(zh(field.title), (text) => {
    field.title = told(field.title, "zh", text);
    keep("title");
    window.clearTimeout(waiting);
    if (text.trim().length > 1) waiting = window.setTimeout(() => void look(text), 250);
    else offers.replaceChildren();
  }, { "data-name": `title-${path}` });
  const english = textBox(en(field.title), (text) => {
    field.title = told(field.title, "en", text);
    keep("title.en");
  });
  return h("div", {}, labelled(word(editor, "title"), box, "", `${path}.title`), offers, h("details", {}, h("summary", {}, word(editor, "titleEn")), labelled(word(editor, "titleEn"), english)));
}

function take(editor: Editor, field: Field, fields: Field[], element: Element, path: string): void {
  editor.settings.elements[element.code] = element;
  const key = element.code.replaceAll(".", "_");
  const isFree = !fields.some((other) => other !== field && other.key === key);
  if (PLAIN_KEY.test(field.key) && isFree) field.key = key;
  for (const part of ["title", "type", "options", "code_set", "columns", "length", "unit"] as const) delete field[part];
  field.element = element.code;
  editor.open = `${path.slice(0, path.lastIndexOf("."))}.${field.key}`;
  editor.changed("");
  editor.redraw(`free-${editor.open}`);
}

function bound(editor: Editor, field: Field, element: Element, path: string): HTMLElement {
  const facts = [element.code, element.department, element.source ? word(editor, "filledIn") : ""].filter(Boolean).join(" · ");
  const free = button(word(editor, "elementFree"), `free-${path}`, () => {
    delete field.element;
    field.title = { zh: "" };
    field.type = element.type;
    editor.changed("");
    editor.redraw(`title-${path}`);
  });
  return h("div", { class: "builder-bound" }, h("p", {}, h("strong", {}, `${word(editor, "element")}：${element.name}`), " ", h("span", { class: "muted" }, facts)), free, h("div", { "data-faults-at": `${path}.element` }));
}

function changeType(editor: Editor, field: Field, type: string, path: string): void {
  field.type = type;
  if (type !== "code" && type !== "codes") {
    delete field.options;
    delete field.code_set;
  } else if (!field.options && !field.code_set) field.options = ["1", "2"].map((code) => ({ code, title: { zh: `${word(editor, "optionTitle")} ${code}` } }));
  if (type === "table") field.columns ??= [{ key: "c1", title: { zh: word(editor, "column") }, type: "text" }];
  else delete field.columns;
  if (type === "entry") field.register ??= editor.settings.registers[0]?.[0] ?? "";
  else delete field.register;
  editor.changed("");
  editor.redraw(`title-${path}`);
}

function drawOptions(editor: Editor, field: Field, path: string, keep: (place: string) => void): HTMLElement {
  const sets: Pair[] = [["", word(editor, "none")], ...editor.settings.code_sets];
  const set = labelled(word(editor, "codeSet"), selectBox(sets, field.code_set ?? "", (code) => {
    put(field, "code_set", code);
    if (code) delete field.options;
    else field.options = [{ code: "1", title: { zh: `${word(editor, "optionTitle")} 1` } }];
    editor.changed("");
    editor.redraw(`open-${path}`);
  }), "", `${path}.code_set`);
  if (field.code_set) return set;
  const options = (field.options ??= []);
  const again = (focus: string): void => {
    editor.changed("");
    editor.redraw(focus);
  };
  const rows = options.map((option, number) => optionRow(editor, options, option, number, path, keep, again));
  const add = button(`＋ ${word(editor, "addOption")}`, `add-option-${path}`, () => {
    const code = freeKey("", options.map((option) => option.code));
    options.push({ code, title: { zh: "" } });
    again(`option-${path}-${options.length - 1}`);
  });
  return h("fieldset", { class: "builder-options" }, h("legend", {}, word(editor, "options")), ...rows, add, h("div", { "data-faults-at": `${path}.options` }), set);
}

function optionRow(editor: Editor, options: Option[], option: Option, number: number, path: string, keep: (place: string) => void, again: (focus: string) => void): HTMLElement {
  const title = textBox(zh(option.title), (text) => {
    option.title = told(option.title, "zh", text);
    keep(`options.${number}`);
  }, { "aria-label": word(editor, "optionTitle"), "data-name": `option-${path}-${number}` });
  const code = textBox(option.code, (text) => {
    option.code = text;
    keep(`options.${number}.code`);
  }, { "aria-label": word(editor, "optionCode"), class: "form-control builder-code" });
  const shift = (to: number, name: string): void => {
    move(options, number, to);
    again(`${name}-${path}-${Math.max(0, Math.min(to, options.length - 1))}`);
  };
  return h(
    "div",
    { class: "builder-row" },
    title,
    code,
    small("↑", word(editor, "up"), `up-${path}-${number}`, () => shift(number - 1, "up"), number === 0),
    small("↓", word(editor, "down"), `down-${path}-${number}`, () => shift(number + 1, "down"), number === options.length - 1),
    small("×", word(editor, "remove"), `remove-${path}-${number}`, () => {
      options.splice(number, 1);
      again(`add-option-${path}`);
    }),
  );
}

function rename(editor: Editor, field: Field, key: string, path: string): void {
  field.key = key;
  editor.open = `${path.slice(0, path.lastIndexOf("."))}.${key}`;
  editor.changed("");
  editor.redraw(`open-${editor.open}`);
}
