import { conditionBox } from "./conditions";
import { type Editor, choices, titleOf, typeOf, word } from "./editor";
import { type End, type Entry, type Named, type Pair, allFields, freeKey, put, told, zh } from "./model";
import { drawNames } from "./names";
import { button, fold, h, labelled, selectBox, small, textBox } from "./parts";

export const CERTIFICATES_LIST = "builder-certificates";
const TEXT = /^'([^'\\]*)'$/;
const FIXED = "'";
const WRITTEN = "=";
const TODAY = "today()";

/** How the flow may end, and what each end brings about. */
export function drawEnds(editor: Editor, ends: End[]): HTMLElement {
  const again = (focus: string): void => {
    editor.changed("");
    editor.redraw(focus);
  };
  const add = button(`＋ ${word(editor, "addEnd")}`, "add-end", () => {
    ends.push({ key: freeKey("end", ends.map((end) => end.key)), title: { zh: "" }, result: "refused" });
    again(`end-${ends.length - 1}`);
  });
  const cards = ends.map((end, number) => drawEnd(editor, ends, end, number, again));
  return h("fieldset", { class: "builder-card builder-options" }, h("legend", {}, word(editor, "ends")), ...cards, add, h("div", { "data-faults-at": "ends" }));
}

function drawEnd(editor: Editor, ends: End[], end: End, number: number, again: (focus: string) => void): HTMLElement {
  const path = `ends.${end.key}`;
  const result = selectBox(choices(editor, "results"), end.result, (chosen) => {
    end.result = chosen;
    editor.changed("");
  });
  result.setAttribute("aria-label", word(editor, "result"));
  const row = h(
    "div",
    { class: "builder-row" },
    textBox(zh(end.title), (text) => {
      end.title = told(end.title, "zh", text);
      editor.changed(`${path}.title`);
    }, { "aria-label": word(editor, "title"), "data-name": `end-${number}` }),
    result,
    small("×", word(editor, "remove"), `remove-end-${number}`, () => {
      ends.splice(number, 1);
      again("add-end");
    }, ends.length === 1),
  );
  const isSet = Boolean(end.entries?.length || end.certificate || end.function);
  const names = drawNames(editor, end, ends, path, (key) => {
    for (const outcome of (editor.body.stages ?? []).flatMap((stage) => stage.outcomes)) if (outcome.to === `end:${end.key}`) outcome.to = `end:${key}`;
  });
  return h("div", { "data-place": path }, row, h("div", { "data-faults-at": path }), fold(word(editor, "brings"), isSet, ...drawBrought(editor, end, path, again)), names);
}

function drawBrought(editor: Editor, end: End, path: string, again: (focus: string) => void): HTMLElement[] {
  const certificate = textBox(end.certificate ?? "", (text) => {
    put(end, "certificate", text.trim());
    editor.changed(`${path}.certificate`);
  }, { list: CERTIFICATES_LIST });
  return [
    drawEntries(editor, end, `${path}.entries`, again),
    labelled(word(editor, "certificate"), certificate, word(editor, "certificateHelp"), `${path}.certificate`),
    ...(end.function ? [drawCalled(editor, end, end.function, path)] : []),
  ];
}

/** A copy of what a pack brought may still name a function, which only packs may: here it is taken out. */
function drawCalled(editor: Editor, end: End, named: string, path: string): HTMLElement {
  const called = selectBox([["", word(editor, "noFunction")], [named, named]], named, (name) => {
    put(end, "function", name);
    editor.changed("");
  });
  return labelled(word(editor, "function"), called, word(editor, "functionHelp"), `${path}.function`);
}

function drawEntries(editor: Editor, end: End, path: string, again: (focus: string) => void): HTMLElement {
  const entries = end.entries ?? [];
  const tell = (changed: Entry[], focus: string): void => {
    put(end, "entries", changed);
    again(focus);
  };
  const cards = entries.map((entry, number) => {
    const without = button(word(editor, "removeEntry"), `remove-${path}-${number}`, () => tell(entries.filter((other) => other !== entry), `add-${path}`), { class: "btn btn-quiet builder-link" });
    const place = `${path}.${number}`;
    return h("div", { class: "builder-inset", "data-place": place }, ...drawEntry(editor, entry, place, again), without, h("div", { "data-faults-at": place }));
  });
  const add = button(`＋ ${word(editor, "addEntry")}`, `add-${path}`, () => {
    tell([...entries, { register: editor.settings.registers[0]?.[0] ?? "" }], `${path}.${entries.length}.register`);
  });
  return h("fieldset", { class: "builder-options" }, h("legend", {}, word(editor, "entries")), h("p", { class: "help" }, word(editor, "entryHelp")), ...cards, add, h("div", { "data-faults-at": path }));
}

/** Which register, for what, where, in which state, and where each of its fields comes from. */
function drawEntry(editor: Editor, entry: Entry, path: string, again: (focus: string) => void): HTMLElement[] {
  const keep = (): void => editor.changed("");
  const sources = sourcesOf(editor, entry.each);
  const tables = ofType(sources, "table");
  const register = selectBox(editor.settings.registers, entry.register, (key) => {
    entry.register = key;
    delete entry.state;
    again(`${path}.register`);
  });
  const each = selectBox([["", word(editor, "onlyOne")], ...tables], entry.each ?? "", (key) => {
    put(entry, "each", key);
    again(`${path}.each`);
  });
  const org = selectBox([["", word(editor, "sameOrg")], ...ofType(sources, "org")], entry.org ?? "", (key) => {
    put(entry, "org", key);
    keep();
  });
  const state = selectBox([["", word(editor, "sameState")], ...(editor.around.registers[entry.register]?.states ?? [])], entry.state ?? "", (key) => {
    put(entry, "state", key);
    keep();
  });
  return [
    h(
      "div",
      { class: "builder-pair" },
      labelled(word(editor, "register"), register, "", `${path}.register`),
      labelled(word(editor, "state"), state, "", `${path}.state`),
      ...(tables.length || entry.each ? [labelled(word(editor, "eachRow"), each, "", `${path}.each`)] : []),
      labelled(word(editor, "entryOrg"), org, "", `${path}.org`),
    ),
    drawSets(editor, entry, sources, path, again),
    conditionBox(word(editor, "entryWhen"), entry.when ?? "", sources, editor.words, `${path}.when`, (text) => {
      put(entry, "when", text);
      editor.changed(`${path}.when`);
    }),
  ];
}

function drawSets(editor: Editor, entry: Entry, sources: Named[], path: string, again: (focus: string) => void): HTMLElement {
  const fields = editor.around.registers[entry.register]?.fields ?? [];
  const set = (entry.set ??= {});
  const free = fields.filter((field) => !(field.key in set));
  const isSource = (field: Named): boolean => sources.some((source) => source.key === field.key);
  const fill = (chosen: Named[]): void => {
    for (const field of chosen) set[field.key] = isSource(field) ? field.key : "";
    again(`${path}.set.${chosen[0]?.key ?? ""}`);
  };
  const add = selectBox([["", `＋ ${word(editor, "addSet")}`], ...free.map((field): Pair => [field.key, field.title])], "", (key) => fill(fields.filter((field) => field.key === key)));
  add.setAttribute("aria-label", word(editor, "addSet"));
  add.dataset["name"] = `add-${path}`;
  const alike = free.filter(isSource);
  return h(
    "fieldset",
    { class: "builder-options" },
    h("legend", {}, word(editor, "set")),
    ...Object.keys(set).map((key) => drawSet(editor, set, key, fields, sources, path, again)),
    free.length > 0 && add,
    alike.length > 0 && button(`${word(editor, "setAlike")}（${alike.length}）`, `alike-${path}`, () => fill(alike), { class: "btn btn-quiet builder-link" }),
    h("div", { "data-faults-at": `${path}.set` }),
  );
}

/** What a value may be taken from: the row of the table, the form, and what stages write down. */
function sourcesOf(editor: Editor, table = ""): Named[] {
  const { fields } = editor.around;
  const start = `${table}.`;
  const columns = table ? fields.filter((field) => field.key.startsWith(start)).map((field) => ({ ...field, key: field.key.slice(start.length) })) : [];
  const own = allFields(editor.body).map((field): Named => ({ key: field.key, title: titleOf(editor, field), type: typeOf(editor, field) }));
  return [...columns, ...fields.filter((field) => !field.key.includes(".")), ...own];
}

function ofType(sources: Named[], type: string): Pair[] {
  return sources.filter((source) => source.type === type).map((source) => [source.key, source.title]);
}

function drawSet(editor: Editor, set: Record<string, string>, key: string, fields: Named[], sources: Named[], path: string, again: (focus: string) => void): HTMLElement {
  const place = `${path}.set.${key}`;
  const text = set[key] ?? "";
  const target = fields.find((field) => field.key === key);
  const fixed = TEXT.exec(text)?.[1];
  const way = text === TODAY || text === "" || sources.some((source) => source.key === text) ? text : fixed === undefined ? WRITTEN : FIXED;
  const say = (told: string): void => {
    set[key] = told;
    editor.changed(place);
  };
  const ways: Pair[] = [["", word(editor, "none")], ...sources.map((source): Pair => [source.key, source.title]), [TODAY, word(editor, "today")], [FIXED, word(editor, "fixedValue")], [WRITTEN, word(editor, "conditionText")]];
  const choose = selectBox(ways, way, (chosen) => {
    set[key] = chosen === FIXED ? `'${target?.options?.[0]?.[0] ?? ""}'` : chosen === WRITTEN ? text || key : chosen;
    again(place);
  });
  const label = labelled(target?.title ?? key, choose, "", place);
  const parts: HTMLElement[] = [label];
  if (way === FIXED) parts.push(fixedBox(editor, target, fixed ?? "", (value) => say(`'${value.replace(/['\\]/g, "")}'`)));
  if (way === WRITTEN) parts.push(textBox(text, say, { spellcheck: false, autocapitalize: "off", "aria-label": word(editor, "conditionText") }));
  parts.push(small("×", word(editor, "remove"), `remove-${place}`, () => {
    delete set[key];
    again(`add-${path}`);
  }));
  return h("div", { class: "builder-row builder-set" }, ...parts);
}

function fixedBox(editor: Editor, target: Named | undefined, value: string, say: (value: string) => void): HTMLElement {
  const box = target?.options?.length ? selectBox(target.options, value, say) : textBox(value, say);
  box.setAttribute("aria-label", word(editor, "fixedValue"));
  return box;
}
