import { conditionBox } from "./conditions";
import { type Editor, choices, titleOf, typeOf, word } from "./editor";
import { drawFields } from "./form";
import { type Field, type Named, type Outcome, type Pair, type Stage, allFields, freeKey, move, put, said, told, zh } from "./model";
import { button, checkBox, checkBoxes, fold, h, labelled, numberBox, selectBox, small, textBox } from "./parts";
import { drawTimes } from "./times";
import { drawNames } from "./names";
import { drawWho } from "./who";

const NUMBERS = new Set(["integer", "decimal"]);

/** A stage being drawn: where it lies, and how what is changed in it is kept or drawn anew. */
interface Drawing {
  editor: Editor;
  stages: Stage[];
  stage: Stage;
  path: string;
  keep(place: string): void;
  again(focus: string): void;
}

export function drawStage(editor: Editor, stages: Stage[], stage: Stage, number: number): HTMLElement {
  const path = `stages.${stage.key}`;
  const drawing: Drawing = {
    editor,
    stages,
    stage,
    path,
    keep: (place) => editor.changed(`${path}.${place}`),
    again: (focus) => {
      editor.changed("");
      editor.redraw(focus);
    },
  };
  const { keep, again } = drawing;
  const who = drawWho(editor, {
    who: stage.who,
    path: `${path}.who`,
    label: word(editor, "who"),
    change: (changed) => {
      stage.who = changed;
      again(`${path}.who`);
    },
    keep: () => keep("who"),
  });
  return h(
    "section",
    { class: "builder-card", "data-place": path },
    drawHead(drawing, number),
    who,
    ...drawDeciding(drawing),
    ...drawTimes(editor, stage, path, keep, again),
    drawOutcomes(drawing),
    drawWritten(drawing),
    drawMore(drawing),
  );
}

function drawHead({ editor, stages, stage, path, keep, again }: Drawing, number: number): HTMLElement {
  const shift = (to: number, name: string): void => {
    move(stages, number, to);
    again(`${name}-${path}`);
  };
  const title = textBox(zh(stage.title), (text) => {
    stage.title = told(stage.title, "zh", text);
    keep("title");
  }, { "data-name": `title-${path}` });
  return h(
    "div",
    { class: "builder-head" },
    labelled(`${word(editor, "stage")} ${number + 1}`, title, "", path),
    small("↑", word(editor, "up"), `up-${path}`, () => shift(number - 1, "up"), number === 0),
    small("↓", word(editor, "down"), `down-${path}`, () => shift(number + 1, "down"), number === stages.length - 1),
    small("×", word(editor, "remove"), `remove-${path}`, () => {
      stages.splice(number, 1);
      again("add-stage");
    }, stages.length === 1),
  );
}

/** How it is decided; what only one way needs goes with it. */
function drawDeciding(drawing: Drawing): HTMLElement[] {
  const { editor, stage, path, keep, again } = drawing;
  const mode = stage.decide ?? "one";
  const decide = selectBox(choices(editor, "decide"), mode, (chosen) => {
    put(stage, "decide", chosen === "one" ? "" : chosen);
    for (const part of ["quorum", "score", "tolerance", "arbiter"] as const) delete stage[part];
    if (chosen === "quorum") stage.quorum = 2;
    if (chosen === "blind") beginBlind(drawing);
    again(`${path}.decide`);
  });
  const found = [labelled(word(editor, "decideMode"), decide, mode === "blind" ? word(editor, "blindHelp") : "", `${path}.decide`)];
  if (mode === "quorum") found.push(labelled(word(editor, "quorum"), numberBox(stage.quorum, (value) => {
    put(stage, "quorum", value);
    keep("quorum");
  }), "", `${path}.quorum`));
  return mode === "blind" ? [...found, drawBlind(drawing)] : found;
}

/** Two score apart: there is something to score in, how far they may differ, and who decides then. */
function beginBlind({ editor, stage }: Drawing): void {
  const fields = (stage.fields ??= []);
  let score = fields.find((field) => NUMBERS.has(field.type ?? ""));
  if (!score) {
    const taken = [...editor.around.fields, ...allFields(editor.body)].map((field) => field.key);
    const key = taken.includes("score") ? freeKey("score", taken) : "score";
    score = { key, title: { zh: word(editor, "scoreTitle") }, type: "decimal", required: true, minimum: 0, maximum: 100 };
    fields.push(score);
  }
  stage.score = score.key;
  stage.tolerance = 10;
  stage.arbiter = { role: "county_officer", at: "county" };
  if (stage.who.pool !== undefined) stage.who.count = 2;
}

function drawBlind({ editor, stage, path, keep, again }: Drawing): HTMLElement {
  const scores = (stage.fields ?? []).filter((field) => NUMBERS.has(typeOf(editor, field))).map((field): Pair => [field.key, titleOf(editor, field)]);
  const arbiter = stage.arbiter && drawWho(editor, {
    who: stage.arbiter,
    path: `${path}.arbiter`,
    label: word(editor, "arbiter"),
    change: (changed) => {
      stage.arbiter = changed;
      again(`${path}.arbiter`);
    },
    keep: () => keep("arbiter"),
  });
  return h(
    "div",
    { class: "builder-inset" },
    labelled(word(editor, "score"), selectBox([["", word(editor, "none")], ...scores], stage.score ?? "", (key) => {
      put(stage, "score", key);
      keep("score");
    }), word(editor, "scoreHelp"), `${path}.score`),
    labelled(word(editor, "tolerance"), numberBox(stage.tolerance, (value) => {
      put(stage, "tolerance", value);
      keep("tolerance");
    }), "", `${path}.tolerance`),
    arbiter,
  );
}

function drawOutcomes(drawing: Drawing): HTMLElement {
  const { editor, stage, path, again } = drawing;
  const { outcomes } = stage;
  const add = button(`＋ ${word(editor, "addOutcome")}`, `add-outcome-${path}`, () => {
    const key = freeKey("outcome", outcomes.map((outcome) => outcome.key));
    outcomes.push({ key, title: { zh: "" }, to: "filer", needs_reason: true, tone: "warn" });
    again(`outcome-${path}-${outcomes.length - 1}`);
  });
  const rows = outcomes.map((outcome, number) => drawOutcome(drawing, outcome, number));
  return h("fieldset", { class: "builder-options" }, h("legend", {}, word(editor, "outcomes")), h("p", { class: "help" }, word(editor, "outcomesHelp")), ...rows, add, h("div", { "data-faults-at": `${path}.outcomes` }));
}

function drawOutcome({ editor, stages, stage, path, keep, again }: Drawing, outcome: Outcome, number: number): HTMLElement {
  const { outcomes } = stage;
  const place = `${path}.outcomes.${outcome.key}`;
  const targets: Pair[] = [
    ...stages.filter((other) => other !== stage).map((other): Pair => [other.key, said(other.title)]),
    ["filer", word(editor, "toFiler")],
    ...(editor.body.ends ?? []).map((end): Pair => [`end:${end.key}`, `${word(editor, "ends")}：${said(end.title)}`]),
  ];
  const named = (box: HTMLSelectElement, words: string): HTMLSelectElement => {
    box.setAttribute("aria-label", words);
    return box;
  };
  const shift = (to: number, name: string): void => {
    move(outcomes, number, to);
    again(`${name}-outcome-${path}-${Math.max(0, Math.min(to, outcomes.length - 1))}`);
  };
  return h(
    "div",
    { "data-place": place },
    h(
      "div",
      { class: "builder-row" },
      textBox(zh(outcome.title), (text) => {
        outcome.title = told(outcome.title, "zh", text);
        keep(`outcomes.${number}`);
      }, { "aria-label": word(editor, "title"), "data-name": `outcome-${path}-${number}` }),
      named(selectBox(targets, outcome.to, (to) => {
        outcome.to = to;
        keep("outcomes");
      }), word(editor, "to")),
      named(selectBox(choices(editor, "tones"), outcome.tone ?? "plain", (tone) => {
        put(outcome, "tone", tone === "plain" ? "" : tone);
        keep("outcomes");
      }), word(editor, "tone")),
      checkBox(word(editor, "needsReason"), outcome.needs_reason ?? false, (value) => {
        put(outcome, "needs_reason", value);
        keep("outcomes");
      }),
      small("↑", word(editor, "up"), `up-outcome-${path}-${number}`, () => shift(number - 1, "up"), number === 0),
      small("↓", word(editor, "down"), `down-outcome-${path}-${number}`, () => shift(number + 1, "down"), number === outcomes.length - 1),
      small("×", word(editor, "remove"), `remove-outcome-${path}-${number}`, () => {
        outcomes.splice(number, 1);
        if (stage.late?.outcome === outcome.key) delete stage.late.outcome;
        again(`add-outcome-${path}`);
      }, outcomes.length === 1),
    ),
    h("div", { "data-faults-at": place }),
    drawNames(editor, outcome, outcomes, place, (key) => {
      if (stage.late?.outcome === outcome.key) stage.late.outcome = key;
    }),
  );
}

/** What is written down here, and what of the form may be changed here. */
function drawWritten({ editor, stage, path, keep }: Drawing): HTMLElement {
  const fields: Field[] = (stage.fields ??= []);
  const edits = editor.around.fields.filter((field) => !field.key.includes("."));
  const count = fields.length + (stage.edits?.length ?? 0);
  return fold(
    `${word(editor, "written")}（${count}）`,
    count > 0,
    h("p", { class: "help" }, word(editor, "writtenHelp")),
    drawFields(editor, fields, `${path}.fields`, fields),
    edits.length > 0 && checkBoxes(word(editor, "edits"), edits.map((field): Pair => [field.key, field.title]), stage.edits ?? [], (keys) => {
      put(stage, "edits", keys);
      keep("edits");
    }, `${path}.edits`),
  );
}

function drawMore({ editor, stages, stage, path, keep }: Drawing): HTMLElement {
  const moves = choices(editor, "moves");
  const own = allFields({ ...editor.body, sections: [] }).map((field): Named => ({ key: field.key, title: titleOf(editor, field), type: typeOf(editor, field) }));
  return fold(
    word(editor, "advanced"),
    false,
    conditionBox(word(editor, "when"), stage.when ?? "", [...editor.around.fields.filter((field) => !field.key.includes(".")), ...own], editor.words, `${path}.when`, (text) => {
      put(stage, "when", text);
      keep("when");
    }),
    checkBoxes(word(editor, "may"), moves, stage.may ?? moves.map(([move]) => move), (values) => {
      // All of them is what holds where nothing is said; none has to be said.
      if (values.length === moves.length) delete stage.may;
      else stage.may = values;
      keep("may");
    }, `${path}.may`),
    drawNames(editor, stage, stages, path, (key) => {
      for (const outcome of stages.flatMap((one) => one.outcomes)) if (outcome.to === stage.key) outcome.to = key;
    }),
  );
}
