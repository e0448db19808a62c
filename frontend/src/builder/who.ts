import { type Editor, choices, word } from "./editor";
import { type Named, type Pair, type Who, allFields, put, said } from "./model";
import { button, checkBox, checkBoxes, fold, h, labelled, numberBox, selectBox, textBox } from "./parts";

export const ELEMENTS_LIST = "builder-elements";
const AVOIDED = ["same_org", "filer"];
const FIXED_PLACES = new Set(["here", "above"]);

/** What is asked, where it lies, and how it is changed: `change` takes another way, `keep` keeps what was changed in this one. */
export interface Asking {
  who: Who;
  path: string;
  label: string;
  change(who: Who): void;
  keep(): void;
}

function wayOf(who: Who): string {
  if (who.named_in !== undefined) return "named_in";
  return ["filer", "class_teacher", "pool", "owner_of", "function"].find((way) => way in who) ?? "role";
}

/** Whom a place asks: one way of finding them, and whom else where nobody is found. */
export function drawWho(editor: Editor, asking: Asking): HTMLElement {
  const { who, path, label } = asking;
  const way = wayOf(who);
  // Functions of the platform are named by packs alone; a copy that still names one shows it, to be changed.
  const ways = choices(editor, "ways").filter(([key]) => key !== "function" || way === key);
  const choose = selectBox(ways, way, (chosen) => {
    const others = who.otherwise ? { otherwise: who.otherwise } : {};
    asking.change({ ...firstOf(editor, chosen), ...others });
  });
  const parts = WAYS[way]?.(editor, asking) ?? [];
  return h("div", { class: "builder-who" }, h("div", { class: "builder-pair" }, labelled(label, choose, "", path), ...parts), drawOtherwise(editor, asking));
}

function firstOf(editor: Editor, way: string): Who {
  const firsts: Record<string, Who> = {
    role: { role: "county_officer", at: "county" },
    named_in: { named_in: peopleNamed(editor)[0]?.key ?? "" },
    class_teacher: { class_teacher: true },
    filer: { filer: true },
    pool: { pool: editor.settings.pools[0]?.[0] ?? "", count: 1 },
    owner_of: { owner_of: "" },
  };
  return firsts[way] ?? {};
}

/** Fields in which people or orgs are chosen: of the form, and of what earlier stages write down. */
function peopleNamed(editor: Editor): Named[] {
  const own = allFields(editor.body).map((field): Named => ({ key: field.key, title: said(field.title), type: field.type ?? "" }));
  return [...editor.around.fields, ...own].filter((field) => ["person", "org"].includes(field.type));
}

const WAYS: Record<string, (editor: Editor, asking: Asking) => HTMLElement[]> = {
  role: (editor, { who, path, change, keep }) => {
    const parts = [
      roleBox(editor, who, path, keep),
      labelled(word(editor, "place"), selectBox(choices(editor, "levels"), who.at ?? "here", (at) => {
        put(who, "at", at);
        if (FIXED_PLACES.has(at)) delete who.each;
        change(who);
      }), "", `${path}.at`),
    ];
    if (who.each || !FIXED_PLACES.has(who.at ?? "here")) parts.push(h("div", {}, checkBox(word(editor, "each"), who.each ?? false, (value) => {
      put(who, "each", value);
      keep();
    }), h("div", { "data-faults-at": `${path}.each` })));
    return parts;
  },
  named_in: (editor, { who, path, change, keep }) => {
    const fields = peopleNamed(editor);
    const isOrg = fields.find((field) => field.key === who.named_in)?.type === "org";
    const pairs: Pair[] = [["", word(editor, "none")], ...fields.map((field): Pair => [field.key, field.title])];
    const box = selectBox(pairs, who.named_in ?? "", (key) => {
      who.named_in = key;
      if (fields.find((field) => field.key === key)?.type !== "org") delete who.role;
      else who.role ??= "school_admin";
      change(who);
    });
    const parts = [labelled(word(editor, "namedField"), box, word(editor, "namedInHelp"), `${path}.named_in`)];
    return isOrg || who.role ? [...parts, roleBox(editor, who, path, keep)] : parts;
  },
  pool: (editor, { who, path, keep }) => [
    labelled(word(editor, "poolRegister"), selectBox(editor.settings.pools, who.pool ?? "", (key) => {
      who.pool = key;
      keep();
    }), "", `${path}.pool`),
    labelled(word(editor, "poolCount"), numberBox(who.count ?? 1, (value) => {
      put(who, "count", value);
      keep();
    }), "", `${path}.count`),
    checkBoxes(word(editor, "avoid"), choices(editor, "avoids"), who.avoid ?? AVOIDED, (values) => {
      who.avoid = values;
      keep();
    }, `${path}.avoid`),
  ],
  owner_of: (editor, { who, path, keep }) => [
    labelled(word(editor, "ownerOf"), textBox(who.owner_of ?? "", (text) => {
      who.owner_of = text.trim();
      keep();
    }, { list: ELEMENTS_LIST, spellcheck: false }), word(editor, "ownerOfHelp"), `${path}.owner_of`),
  ],
  function: (editor, { who, path, keep }) => [
    labelled(word(editor, "function"), selectBox([[who.function ?? "", who.function ?? ""]], who.function ?? "", (name) => {
      who.function = name;
      keep();
    }), word(editor, "functionHelp"), `${path}.function`),
  ],
};

function roleBox(editor: Editor, who: Who, path: string, keep: () => void): HTMLElement {
  return labelled(word(editor, "role"), selectBox(choices(editor, "roles"), who.role ?? "", (role) => {
    who.role = role;
    keep();
  }), "", `${path}.role`);
}

function drawOtherwise(editor: Editor, asking: Asking): HTMLElement {
  const { who, path, change } = asking;
  const place = `${path}.otherwise`;
  if (!who.otherwise) return button(`＋ ${word(editor, "addOtherwise")}`, `add-${place}`, () => change({ ...who, otherwise: firstOf(editor, "role") }), { class: "btn btn-quiet builder-link" });
  const inner: Asking = { ...asking, who: who.otherwise, path: place, label: word(editor, "otherwise"), change: (otherwise) => change({ ...who, otherwise }) };
  const without = button(word(editor, "removeOtherwise"), `remove-${place}`, () => {
    const { otherwise: _dropped, ...rest } = who;
    change(rest);
  }, { class: "btn btn-quiet builder-link" });
  return fold(word(editor, "otherwise"), true, drawWho(editor, inner), without);
}
