import { type Editor, choices, word } from "./editor";
import { CERTIFICATES_LIST, drawEnds } from "./ends";
import { type Pair, type Stage, en, freeKey, put, told, zh } from "./model";
import { areaBox, button, checkBox, checkBoxes, fold, h, labelled, selectBox, textBox } from "./parts";
import { drawStage } from "./stage";
import { spanBox } from "./times";
import { ELEMENTS_LIST } from "./who";

/** The flow: over which form, who begins it, its stages in order, and how it may end. */
export function drawFlow(editor: Editor): HTMLElement[] {
  const stages = (editor.body.stages ??= []);
  const ends = (editor.body.ends ??= []);
  return [
    suggestions(ELEMENTS_LIST, [...editor.settings.elementCodes, ...editor.around.fields.map((field): Pair => [field.key, field.title])]),
    suggestions(CERTIFICATES_LIST, editor.settings.certificates),
    general(editor),
    ...stages.map((stage, number) => drawStage(editor, stages, stage, number)),
    button(`＋ ${word(editor, "addStage")}`, "add-stage", () => addStage(editor, stages), { class: "btn" }),
    drawEnds(editor, ends),
  ];
}

function suggestions(id: string, pairs: Pair[]): HTMLElement {
  return h("datalist", { id }, ...pairs.map(([code, words]) => h("option", { value: code }, words)));
}

function general(editor: Editor): HTMLElement {
  const { body } = editor;
  const filed = (body.filed_by ??= {});
  const title = textBox(zh(body.title), (text) => {
    body.title = told(body.title, "zh", text);
    editor.changed("title");
  });
  const form = selectBox(editor.settings.forms, body.form ?? "", (key) => {
    body.form = key;
    editor.changed("");
  });
  const anyone = checkBox(word(editor, "anyone"), filed.anyone ?? false, (value) => {
    put(filed, "anyone", value);
    editor.changed("");
  });
  const filedBy = checkBoxes(word(editor, "filedBy"), choices(editor, "roles"), filed.roles ?? [], (roles) => {
    filed.roles = roles;
    editor.changed("");
  }, "filed_by");
  filedBy.querySelector("legend")?.after(anyone);
  return h("div", { class: "builder-card" }, labelled(word(editor, "title"), title, "", "title"), labelled(word(editor, "form"), form, "", "form"), filedBy, more(editor));
}

function more(editor: Editor): HTMLElement {
  const { body } = editor;
  const filed = (body.filed_by ??= {});
  return fold(
    word(editor, "advanced"),
    false,
    checkBoxes(word(editor, "filedAt"), choices(editor, "orgTypes"), filed.at ?? [], (kinds) => {
      put(filed, "at", kinds);
      editor.changed("");
    }, "filed_by.at"),
    spanBox(editor, word(editor, "promise"), body.promise, "promise", (span) => {
      put(body, "promise", span);
      editor.changed("promise");
    }, word(editor, "promiseHelp")),
    checkBoxes(word(editor, "see"), choices(editor, "roles"), body.see ?? [], (roles) => {
      put(body, "see", roles);
      editor.changed("");
    }, "see"),
    labelled(word(editor, "prefix"), textBox(body.prefix ?? "", (text) => {
      put(body, "prefix", text.trim().toUpperCase());
      editor.changed("prefix");
    }, { maxlength: 6, spellcheck: false }), word(editor, "prefixHelp"), "prefix"),
    labelled(word(editor, "titleEn"), textBox(en(body.title), (text) => {
      body.title = told(body.title, "en", text);
      editor.changed("title.en");
    })),
    labelled(word(editor, "note"), areaBox(zh(body.note), (text) => {
      put(body, "note", text ? told(body.note, "zh", text) : "");
      editor.changed("note");
    })),
  );
}

function addStage(editor: Editor, stages: Stage[]): void {
  const key = freeKey("stage", stages.map((stage) => stage.key));
  const last = stages.at(-1);
  const end = editor.body.ends?.[0]?.key ?? "done";
  stages.push({
    key,
    title: { zh: `${word(editor, "stage")} ${stages.length + 1}` },
    who: { role: "county_officer", at: "county" },
    outcomes: [{ key: "agree", title: { zh: choices(editor, "results")[0]?.[1] ?? "" }, to: `end:${end}`, tone: "good" }],
    due: { working_days: 5 },
  });
  // What ended there goes on to the new stage: otherwise nothing would lead to it.
  const first = last?.outcomes[0];
  if (first?.to.startsWith("end:")) first.to = key;
  editor.changed("");
  editor.redraw(`title-stages.${key}`);
}
