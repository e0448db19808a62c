import { type Editor, choices, word } from "./editor";
import { type Late, type Pair, type Span, type Stage, put, said } from "./model";
import { besides, button, checkBox, fold, h, labelled, numberBox, selectBox, small } from "./parts";
import { drawWho } from "./who";

/** A number with its unit; no number is no time at all. */
export function spanBox(editor: Editor, label: string, span: Span | undefined, path: string, change: (span: Span | undefined) => void, help = ""): HTMLElement {
  let [unit, value] = (Object.entries(span ?? {})[0] ?? ["working_days", undefined]) as [keyof Span, number | undefined];
  const say = (): void => change(value === undefined ? undefined : { [unit]: value });
  const box = numberBox(value, (number) => {
    value = number;
    say();
  });
  const units = selectBox(choices(editor, "units"), unit, (chosen) => {
    unit = chosen as keyof Span;
    say();
  });
  return besides(labelled(label, box, help, path), units, word(editor, "unit"));
}

/** By when, when it is reminded of, and what happens when it is late. */
export function drawTimes(editor: Editor, stage: Stage, path: string, keep: (place: string) => void, again: (focus: string) => void): HTMLElement[] {
  const due = spanBox(editor, word(editor, "due"), stage.due, `${path}.due`, (span) => {
    const hadDue = Boolean(stage.due);
    put(stage, "due", span);
    keep("due");
    if (hadDue !== Boolean(span)) editor.redraw();
  });
  if (!stage.due && !stage.remind && !stage.late) return [due];
  const isSet = Boolean(stage.remind?.length || stage.late);
  return [due, fold(word(editor, "lateFold"), isSet, drawReminders(editor, stage, path, keep, again), drawLate(editor, stage, path, keep, again))];
}

function drawReminders(editor: Editor, stage: Stage, path: string, keep: (place: string) => void, again: (focus: string) => void): HTMLElement {
  const spans = stage.remind ?? [];
  const tell = (changed: Span[]): void => put(stage, "remind", changed);
  const rows = spans.map((span, number) =>
    h(
      "div",
      { class: "builder-row" },
      spanBox(editor, `${word(editor, "remindBefore")} ${number + 1}`, span, `${path}.remind.${number}`, (changed) => {
        if (changed) spans[number] = changed;
        keep(`remind.${number}`);
      }),
      small("×", word(editor, "remove"), `remove-remind-${path}-${number}`, () => {
        tell(spans.filter((other) => other !== span));
        again(`add-remind-${path}`);
      }),
    ),
  );
  const add = button(`＋ ${word(editor, "addReminder")}`, `add-remind-${path}`, () => {
    tell([...spans, { working_days: 1 }]);
    again(`${path}.remind.${spans.length}`);
  });
  return h("fieldset", { class: "builder-options" }, h("legend", {}, word(editor, "remind")), ...rows, add, h("div", { "data-faults-at": `${path}.remind` }));
}

function drawLate(editor: Editor, stage: Stage, path: string, keep: (place: string) => void, again: (focus: string) => void): HTMLElement {
  const place = `${path}.late`;
  const { late } = stage;
  const isOn = checkBox(word(editor, "late"), Boolean(late), (value) => {
    put(stage, "late", value ? { tell: { role: "county_officer", at: "above" } } : undefined);
    again(place);
  });
  isOn.querySelector("input")?.setAttribute("data-name", place);
  const parts = late ? lateParts(editor, stage, late, place, keep, again) : [];
  return h("fieldset", { class: "builder-options" }, h("legend", {}, word(editor, "lateTitle")), isOn, ...parts, h("div", { "data-faults-at": place }));
}

function lateParts(editor: Editor, stage: Stage, late: Late, place: string, keep: (place: string) => void, again: (focus: string) => void): HTMLElement[] {
  const outcomes: Pair[] = [["", word(editor, "lateNoOutcome")], ...stage.outcomes.map((outcome): Pair => [outcome.key, said(outcome.title) || outcome.key])];
  const tells = checkBox(word(editor, "lateTell"), Boolean(late.tell), (value) => {
    put(late, "tell", value ? { role: "county_officer", at: "above" } : undefined);
    again(`${place}.tell`);
  });
  const asked = late.tell && drawWho(editor, {
    who: late.tell,
    path: `${place}.tell`,
    label: word(editor, "lateWho"),
    change: (who) => {
      late.tell = who;
      again(`${place}.tell`);
    },
    keep: () => keep("late.tell"),
  });
  return [
    spanBox(editor, word(editor, "lateAfter"), late.after, `${place}.after`, (span) => {
      put(late, "after", span);
      keep("late.after");
    }, word(editor, "lateAfterHelp")),
    tells,
    ...(asked ? [asked] : []),
    labelled(word(editor, "lateOutcome"), selectBox(outcomes, late.outcome ?? "", (key) => {
      put(late, "outcome", key);
      keep("late.outcome");
    }), "", `${place}.outcome`),
  ];
}
