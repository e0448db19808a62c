import { button, h } from "./parts";

type Side = "work" | "shown";

/** On a narrow screen one side is seen at a time: what is built, or how it looks. */
export class Tabs {
  readonly buttons: HTMLElement[];
  private readonly count = h("span", { class: "builder-count" });
  private readonly places = { work: 0, shown: 0 };
  private readonly faces: Record<Side, HTMLButtonElement>;

  constructor(
    private readonly root: HTMLElement,
    words: Record<string, string>,
  ) {
    const face = (side: Side): HTMLButtonElement => button(words[side] ?? "", `tab-${side}`, () => this.show(side), { class: "btn builder-tab" });
    this.faces = { work: face("work"), shown: face("shown") };
    this.faces.shown.append(this.count);
    this.buttons = [this.faces.work, this.faces.shown];
    this.mark("work");
  }

  /** How many faults there are, said on the side where they are listed. */
  tell(faults: number): void {
    this.count.textContent = faults ? String(faults) : "";
  }

  show(side: Side): void {
    const before = this.root.dataset["side"] as Side;
    if (side === before) return;
    this.places[before] = window.scrollY;
    this.mark(side);
    window.scrollTo({ top: this.places[side] || this.root.offsetTop });
  }

  private mark(side: Side): void {
    this.root.dataset["side"] = side;
    for (const [name, face] of Object.entries(this.faces)) face.setAttribute("aria-pressed", String(name === side));
  }
}
