import { conditionBox } from "./conditions";
import { type Editor, typeWords, word } from "./editor";
import { drawField, namesFor } from "./field";
import { type Field, type Pair, type Section, allFields, en, freeKey, move, put, said, told, zh } from "./model";
import { areaBox, button, h, labelled, selectBox, small, textBox } from "./parts";

const FIELD = "application/x-shuren-field";
const TYPE = "application/x-shuren-type";

/** The form: what it is about, its sections, their fields in order, and the palette under each. */
export function drawForm(editor: Editor): HTMLElement[] {
  const sections = (editor.body.sections ??= []);
  return [
    general(editor),
    ...sections.map((section, number) => drawSection(editor, sections, section, number)),
    button(`＋ ${word(editor, "addSection")}`, "add-section", () => {
      const key = freeKey("s", sections.map((one) => one.key));
      sections.push({ key, title: { zh: `${word(editor, "section")} ${sections.length + 1}` }, fields: [] });
      editor.changed("");
      editor.redraw(`title-${key}`);
    }, { class: "btn" }),
  ];
}

function general(editor: Editor): HTMLElement {
  const { body } = editor;
  const about: Pair[] = [
    ["org", word(editor, "aboutOrg")],
    ["person", word(editor, "aboutPerson")],
    ["nothing", word(editor, "aboutNothing")],
  ];
  return h(
    "div",
    { class: "builder-card" },
    labelled(word(editor, "title"), textBox(zh(body.title), (text) => keep(() => (body.title = told(body.title, "zh", text)), "title")), "", "title"),
    h(
      "details",
      {},
      h("summary", {}, word(editor, "advanced")),
      labelled(word(editor, "titleEn"), textBox(en(body.title), (text) => keep(() => (body.title = told(body.title, "en", text)), "title.en"))),
      labelled(word(editor, "note"), areaBox(zh(body.note), (text) => keep(() => put(body, "note", text ? told(body.note, "zh", text) : ""), "note"))),
      labelled(word(editor, "about"), selectBox(about, body.about ?? "nothing", (value) => keep(() => (body.about = value), ""))),
    ),
  );
  function keep(change: () => void, place: string): void {
    change();
    editor.changed(place);
  }
}

function drawSection(editor: Editor, sections: Section[], section: Section, number: number): HTMLElement {
  const path = `sections.${section.key}`;
  const keep = (place: string): void => editor.changed(`${path}.${place}`);
  const shift = (to: number, name: string): void => {
    move(sections, number, to);
    editor.changed("");
    editor.redraw(`${name}-${section.key}`);
  };
  const title = textBox(zh(section.title), (text) => {
    section.title = told(section.title, "zh", text);
    keep("title");
  }, { "data-name": `title-${section.key}` });
  const head = h(
    "div",
    { class: "builder-head" },
    labelled(word(editor, "section"), title, "", `${path}.title`),
    small("↑", word(editor, "up"), `up-${section.key}`, () => shift(number - 1, "up"), number === 0),
    small("↓", word(editor, "down"), `down-${section.key}`, () => shift(number + 1, "down"), number === sections.length - 1),
    small("×", word(editor, "remove"), `remove-${section.key}`, () => {
      sections.splice(number, 1);
      editor.changed("");
      editor.redraw("add-section");
    }, sections.length === 1),
  );
  const more = h(
    "details",
    {},
    h("summary", {}, word(editor, "advanced")),
    labelled(word(editor, "note"), areaBox(zh(section.note), (text) => {
      put(section, "note", text ? told(section.note, "zh", text) : "");
      keep("note");
    })),
    conditionBox(word(editor, "shownIf"), section.shown_if ?? "", namesFor(editor, allFields(editor.body)), editor.words, `${path}.shown_if`, (text) => {
      put(section, "shown_if", text);
      keep("shown_if");
    }),
  );
  return h("section", { class: "builder-card", "data-place": path }, head, more, drawFields(editor, section.fields, `${path}.fields`, section.fields));
}

/** Fields in order, with the palette below; the columns of a table are drawn the same way. */
export function drawFields(editor: Editor, fields: Field[], path: string, around: Field[], isTable = false): HTMLElement {
  const list = h("ol", { class: "builder-fields", "data-faults-at": path });
  fields.forEach((field, number) => list.append(drawRow(editor, fields, field, number, path, around)));
  const types = editor.settings.types.filter(([type]) => !(isTable && type === "table"));
  const palette = h(
    "div",
    { class: "builder-palette", role: "group", "aria-label": word(editor, isTable ? "addColumn" : "addField") },
    ...types.map(([type, words]) => {
      const add = button(words, `add-${path}-${type}`, () => addField(editor, fields, type, path, fields.length), { class: "btn btn-sm", draggable: "true" });
      add.addEventListener("dragstart", (event) => event.dataTransfer?.setData(TYPE, type));
      return add;
    }),
  );
  takeDrops(list, (data, to) => {
    const type = data.getData(TYPE);
    const from = data.getData(FIELD);
    if (type) addField(editor, fields, type, path, to);
    else if (from) takeOver(editor, from, fields, path, to);
  });
  return h("div", {}, list, h("p", { class: "builder-label" }, word(editor, isTable ? "addColumn" : "addField")), palette);
}

function drawRow(editor: Editor, fields: Field[], field: Field, number: number, path: string, around: Field[]): HTMLElement {
  const own = `${path}.${field.key}`;
  const isOpen = editor.open === own || editor.open.startsWith(`${own}.`);
  const shift = (to: number, name: string): void => {
    move(fields, number, to);
    editor.changed("");
    editor.redraw(`${name}-${own}`);
  };
  const grip = h("span", { class: "builder-grip", "aria-hidden": "true", draggable: "true" }, "⋮⋮");
  grip.addEventListener("dragstart", (event) => event.dataTransfer?.setData(FIELD, own));
  const head = h(
    "div",
    { class: "builder-row" },
    grip,
    button("", `open-${own}`, () => {
      editor.open = isOpen ? path : own;
      editor.redraw(`open-${own}`);
    }, { class: "builder-open", "aria-expanded": String(isOpen) }),
    small("↑", word(editor, "up"), `up-${own}`, () => shift(number - 1, "up"), number === 0),
    small("↓", word(editor, "down"), `down-${own}`, () => shift(number + 1, "down"), number === fields.length - 1),
    small("×", word(editor, "remove"), `remove-${own}`, () => {
      fields.splice(number, 1);
      editor.changed("");
      const next = fields[Math.min(number, fields.length - 1)];
      editor.redraw(next ? `open-${path}.${next.key}` : `add-${path}-text`);
    }),
  );
  const item = h("li", { "data-place": own }, head, h("div", { "data-faults-at": own }));
  summarize(editor, field, head);
  if (isOpen) item.append(drawField(editor, field, fields, own, around, () => summarize(editor, field, head)));
  return item;
}

function summarize(editor: Editor, field: Field, head: HTMLElement): void {
  const { title, marks } = describe(editor, field);
  head.querySelector(".builder-open")?.replaceChildren(h("strong", {}, title), h("span", { class: "muted" }, marks.join(" · ")));
}

function describe(editor: Editor, field: Field): { title: string; marks: string[] } {
  const element = field.element ? editor.settings.elements[field.element] : undefined;
  const marks = [typeWords(editor, field.type ?? element?.type ?? "text")];
  if (field.calculated) marks.push(word(editor, "calculated"));
  else if (element?.source) marks.push(word(editor, "filledIn"));
  else if (field.required) marks.push(word(editor, "required"));
  if (element) marks.push(`${word(editor, "element")} ${element.code}`);
  return { title: said(field.title) || element?.name || field.key, marks };
}

function addField(editor: Editor, fields: Field[], type: string, path: string, at: number): void {
  const taken = [...editor.around.fields, ...allFields(editor.body), ...fields].map((field) => field.key);
  const field: Field = { key: freeKey(path.includes(".columns") ? "c" : "f", taken), title: { zh: typeWords(editor, type) }, type };
  if (type === "table") field.columns = [{ key: "c1", title: { zh: typeWords(editor, "text") }, type: "text" }];
  if (type === "code" || type === "codes") field.options = ["1", "2"].map((code) => ({ code, title: { zh: `${word(editor, "optionTitle")} ${code}` } }));
  if (type === "entry") field.register = editor.settings.registers[0]?.[0] ?? "";
  fields.splice(at, 0, field);
  editor.open = `${path}.${field.key}`;
  editor.changed("");
  editor.redraw(`title-${path}.${field.key}`);
}

/** A field that was dragged here, from this list or from another section. */
function takeOver(editor: Editor, from: string, fields: Field[], path: string, to: number): void {
  for (const section of editor.body.sections ?? []) {
    const home = `sections.${section.key}.fields`;
    const number = section.fields.findIndex((field) => `${home}.${field.key}` === from);
    const field = section.fields[number];
    if (!field || (path.includes(".columns") && field.columns)) continue;
    if (section.fields === fields) {
      move(fields, number, to > number ? to - 1 : to);
    } else {
      section.fields.splice(number, 1);
      fields.splice(to, 0, field);
    }
    editor.open = path;
    editor.changed("");
    editor.redraw(`open-${path}.${field.key}`);
    return;
  }
  const number = fields.findIndex((field) => `${path}.${field.key}` === from);
  if (number < 0) return;
  move(fields, number, to > number ? to - 1 : to);
  editor.changed("");
  editor.redraw();
}

function takeDrops(list: HTMLElement, take: (data: DataTransfer, to: number) => void): void {
  const placeAt = (y: number): number => {
    const rows = [...list.children];
    const found = rows.findIndex((row) => y < row.getBoundingClientRect().top + row.getBoundingClientRect().height / 2);
    return found < 0 ? rows.length : found;
  };
  list.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.some((type) => type === FIELD || type === TYPE)) return;
    event.preventDefault();
    event.stopPropagation();
    list.dataset["over"] = String(placeAt(event.clientY));
  });
  list.addEventListener("dragleave", () => delete list.dataset["over"]);
  list.addEventListener("drop", (event) => {
    if (!event.dataTransfer) return;
    event.preventDefault();
    event.stopPropagation();
    delete list.dataset["over"];
    take(event.dataTransfer, placeAt(event.clientY));
  });
}
