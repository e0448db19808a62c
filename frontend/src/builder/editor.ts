import type { Around, Body, Element, Field, Pair, Settings } from "./model";
import { said } from "./model";

/** What the parts of the builder share: the body they change, and whom they tell. */
export interface Editor {
  body: Body;
  readonly settings: Settings;
  readonly words: Record<string, string>;
  readonly around: Around;
  /** The place that is opened, as findings name it. */
  open: string;
  /** Something at `place` was changed: keep it. */
  changed(place: string): void;
  /** Draw anew, because what there is has changed; the focus goes to the button of this name. */
  redraw(focus?: string): void;
}

export function word(editor: Editor, key: string): string {
  return editor.words[key] ?? key;
}

/** The choices of this name, each with its words. */
export function choices(editor: Editor, name: string): Pair[] {
  return (editor.words as unknown as Record<string, Pair[]>)[name] ?? [];
}

export function elementOf(editor: Editor, field: Field): Element | undefined {
  return field.element ? editor.settings.elements[field.element] : undefined;
}

export function titleOf(editor: Editor, field: Field): string {
  return said(field.title) || elementOf(editor, field)?.name || field.key;
}

export function typeOf(editor: Editor, field: Field): string {
  return field.type ?? elementOf(editor, field)?.type ?? "text";
}

export function typeWords(editor: Editor, type: string): string {
  return editor.settings.types.find(([key]) => key === type)?.[1] ?? type;
}
