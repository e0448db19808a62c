import { type Editor, word } from "./editor";
import { type Words, en, told } from "./model";
import { fold, labelled, textBox } from "./parts";

interface Called {
  key: string;
  title: Words | string;
}

/** The English title and the key of a thing; `follow` renames whatever names the key, before it changes. */
export function drawNames<Thing extends Called>(editor: Editor, thing: Thing, among: Thing[], path: string, follow: (key: string) => void): HTMLElement {
  const english = textBox(en(thing.title), (text) => {
    thing.title = told(thing.title, "en", text);
    editor.changed(`${path}.title.en`);
  });
  const key = keyBox(thing.key, among.map((other) => other.key), (changed) => {
    follow(changed);
    thing.key = changed;
    editor.changed("");
    editor.redraw();
  });
  return fold(word(editor, "names"), false, labelled(word(editor, "titleEn"), english), labelled(word(editor, "key"), key, word(editor, "keyHelp")));
}

/** A key is taken over when the box is left: until then it would name nothing. */
export function keyBox(key: string, taken: string[], change: (key: string) => void): HTMLInputElement {
  const box = textBox(key, () => undefined, { spellcheck: false, autocapitalize: "off" });
  box.addEventListener("change", () => {
    const changed = box.value.trim();
    if (changed === key || !/^[a-z][a-z0-9_]*$/.test(changed) || taken.includes(changed)) box.value = key;
    else change(changed);
  });
  return box;
}
