import type { Editor } from "./editor";
import { drawFlow } from "./flow";
import { drawForm } from "./form";
import { type Around, type Body, type Finding, type Settings, type State, History, said } from "./model";
import { button, h } from "./parts";
import { Tabs } from "./tabs";

const PATIENCE = 500;
const AGAIN = 4000;

/** The builder: what is changed is drawn, kept on the server, and answered with findings and a preview. */
export function startBuilder(root: HTMLElement): void {
  const state = read<State>("builder-state");
  const settings = read<Settings>("builder-settings");
  new Builder(root, state, settings).start();
}

function read<Told>(id: string): Told {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null") as Told;
}

class Builder implements Editor {
  body: Body;
  open = "";
  around: Around;
  readonly words: Record<string, string>;
  private revision: number;
  private findings: Finding[];
  private isSound: boolean;
  /** When what the preview shows was saved; nothing while it shows nothing. */
  private drawnAt: string;
  private history: History;
  private waiting = 0;
  private isSaving = false;
  private isDirty = false;
  private isStopped = false;
  private readonly status = h("span", { class: "saved", role: "status" });
  private readonly tabs: Tabs;
  private readonly undoButton: HTMLButtonElement;
  private readonly redoButton: HTMLButtonElement;

  constructor(
    private readonly root: HTMLElement,
    state: State,
    readonly settings: Settings,
  ) {
    this.body = state.body;
    this.revision = state.revision;
    this.findings = state.findings;
    this.isSound = state.is_sound;
    this.around = state.around;
    this.drawnAt = state.is_sound ? state.saved_at : "";
    this.words = settings.words as unknown as Record<string, string>;
    this.history = new History(JSON.stringify(state.body));
    this.undoButton = button(this.words["undo"] ?? "", "undo", () => this.turn(this.history.undo()), { "aria-keyshortcuts": "Control+Z" });
    this.redoButton = button(this.words["redo"] ?? "", "redo", () => this.turn(this.history.redo()), { "aria-keyshortcuts": "Control+Y" });
    this.tabs = new Tabs(root, this.words);
    this.say(`${this.words["saved"] ?? ""} ${state.saved_at}`);
  }

  start(): void {
    this.part("bar").replaceChildren(...this.tabs.buttons, this.undoButton, this.redoButton, this.status);
    this.redraw();
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("beforeunload", (event) => {
      if (this.isDirty) event.preventDefault();
    });
    const enforce = document.querySelector<HTMLFormElement>("[data-builder-enforce]");
    enforce?.addEventListener("submit", (event) => {
      if (!this.isDirty) return;
      event.preventDefault();
      void this.save().then(() => {
        if (!this.isDirty) enforce.submit();
      });
    });
  }

  changed(place: string): void {
    this.history.record(this.body, place);
    this.isDirty = true;
    this.showTurns();
    this.say(this.words["saving"] ?? "");
    const title = document.querySelector("[data-builder-title]");
    if (title) title.textContent = said(this.body.title);
    this.soon(PATIENCE);
  }

  redraw(focus = ""): void {
    const work = this.part("work");
    const kept = focus || (work.contains(document.activeElement) && (document.activeElement as HTMLElement).dataset["name"]) || "";
    const folds = new Map(foldsIn(work).map((fold) => [addressOf(fold), fold.open]));
    work.replaceChildren(...(this.settings.kind === "form" ? drawForm(this) : drawFlow(this)));
    for (const fold of foldsIn(work)) fold.open = folds.get(addressOf(fold)) ?? fold.open;
    this.showTurns();
    this.showFindings();
    if (!kept) return;
    const target = work.querySelector<HTMLElement>(`[data-name="${CSS.escape(kept)}"]`);
    if (target) unfold(target);
    // A button that can do no more leaves the focus to its neighbour.
    const usable = target instanceof HTMLButtonElement && target.disabled ? target.parentElement?.querySelector<HTMLElement>("button:not(:disabled)") : target;
    usable?.focus();
    if (focus && usable instanceof HTMLInputElement) usable.select();
  }

  private turn(body: Body | undefined): void {
    if (!body) return;
    this.body = body;
    this.isDirty = true;
    this.redraw();
    this.soon(PATIENCE);
  }

  private onKey(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.turn(this.history.undo());
    else if (key === "y" || (key === "z" && event.shiftKey)) this.turn(this.history.redo());
    else return;
    event.preventDefault();
  }

  private soon(delay: number): void {
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.save(), delay);
  }

  private async save(): Promise<void> {
    if (this.isStopped) return;
    if (this.isSaving) return this.soon(PATIENCE);
    window.clearTimeout(this.waiting);
    this.isSaving = true;
    this.isDirty = false;
    try {
      const answer = await fetch(this.settings.saveUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": document.body.dataset["csrf"] ?? "" },
        body: JSON.stringify({ revision: this.revision, body: this.body }),
      });
      if (answer.status === 409) return this.stop();
      if (!answer.ok) throw new Error(String(answer.status));
      this.take((await answer.json()) as State);
    } catch {
      this.isDirty = true;
      this.say(this.words["failed"] ?? "");
      this.soon(AGAIN);
    } finally {
      this.isSaving = false;
    }
  }

  private take(state: State): void {
    this.revision = state.revision;
    this.findings = state.findings;
    this.isSound = state.is_sound;
    if (!this.isDirty) this.say(`${this.words["saved"] ?? ""} ${state.saved_at}`);
    if (state.is_sound) {
      // Drawn by the server with everything escaped.
      this.part("preview").innerHTML = state.preview;
      this.drawnAt = state.saved_at;
    }
    const isNew = JSON.stringify(state.around) !== JSON.stringify(this.around);
    this.around = state.around;
    if (isNew) this.redraw();
    else this.showFindings();
  }

  /** Somebody else saved: nothing more is sent, and what is here stays to be looked at. */
  private stop(): void {
    this.isStopped = true;
    this.isDirty = false;
    this.say(this.words["conflict"] ?? "");
    this.status.classList.add("is-bad");
  }

  private showFindings(): void {
    const work = this.part("work");
    work.querySelectorAll(".errors").forEach((old) => old.remove());
    work.querySelectorAll("summary.has-errors").forEach((summary) => summary.classList.remove("has-errors"));
    const list = this.findings.map((finding) => {
      const told = `${finding.reason} ${finding.remedy}`.trim();
      const place = this.placeOf(finding.path);
      place?.append(h(place.tagName === "OL" ? "li" : "p", { class: "errors" }, told));
      for (let fold = place?.closest("details"); fold; fold = fold.parentElement?.closest("details")) fold.querySelector("summary")?.classList.add("has-errors");
      const where = place ? `${whereIs(place)}：` : "";
      const row = h("li", {}, button(`${where}${told}`, `go-${finding.path}`, () => this.goTo(finding.path)));
      if (finding.link) row.append(" ", h("a", { href: finding.link, target: "_blank", rel: "noopener" }, this.words["share"] ?? ""));
      return row;
    });
    const count = this.findings.filter((finding) => finding.is_error).length;
    const head = this.isSound ? h("p", { class: "notice notice-success" }, this.words["sound"] ?? "") : h("p", { class: "notice notice-error" }, `${this.words["faults"] ?? ""}：${count}`);
    this.part("findings").replaceChildren(head, h("ul", { class: "builder-findings" }, ...list));
    this.tabs.tell(count);
    this.showAge();
  }

  /** What the preview shows may be older than what is built: it then says so. */
  private showAge(): void {
    const isOld = !this.isSound && this.drawnAt !== "";
    this.part("preview").classList.toggle("is-old", isOld);
    const told = (this.words["oldPreview"] ?? "").replace("{time}", this.drawnAt);
    this.part("age").replaceChildren(...(isOld ? [h("p", { class: "notice notice-warning" }, told)] : []));
  }

  /** Where a finding is shown: the nearest place at or above what it names. */
  private placeOf(path: string): HTMLElement | undefined {
    const places = [...this.part("work").querySelectorAll<HTMLElement>("[data-faults-at]")].filter((place) => isAt(path, place.dataset["faultsAt"] ?? ""));
    return places.sort((one, other) => (other.dataset["faultsAt"]?.length ?? 0) - (one.dataset["faultsAt"]?.length ?? 0))[0];
  }

  private goTo(path: string): void {
    this.tabs.show("work");
    const field = /^((sections|stages)\.\w+\.fields\.\w+(\.columns\.\w+)?)/.exec(path)?.[1];
    if (field) {
      this.open = field;
      this.redraw();
    }
    const place = this.placeOf(path);
    if (!place) return;
    unfold(place);
    const around = place.closest("li") ?? place.parentElement;
    const box = place.parentElement?.querySelector<HTMLElement>(":scope > :is(input, select, textarea), :scope > .builder-span > input") ?? around?.querySelector<HTMLElement>("input, select, textarea, button");
    box?.focus();
    place.scrollIntoView({ block: "center" });
  }

  private showTurns(): void {
    this.undoButton.disabled = !this.history.mayUndo;
    this.redoButton.disabled = !this.history.mayRedo;
  }

  private say(words: string): void {
    this.status.textContent = words;
  }

  private part(name: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[data-builder-${name}]`);
    if (!found) throw new Error(`no ${name}`);
    return found;
  }
}

function isAt(path: string, place: string): boolean {
  return place !== "" && (path === place || path.startsWith(`${place}.`));
}

/** What a place is called: its card or field, and its label. */
function whereIs(place: HTMLElement): string {
  const row = place.closest("li")?.querySelector(".builder-open strong")?.textContent;
  const card = place.closest(".builder-card")?.querySelector<HTMLInputElement>("input")?.value;
  const label = place.parentElement?.querySelector(":scope > label, :scope > legend")?.textContent;
  return [...new Set([row || card, label])].filter(Boolean).join(" · ");
}

function foldsIn(work: HTMLElement): HTMLDetailsElement[] {
  return [...work.querySelectorAll("details")];
}

function unfold(place: HTMLElement): void {
  for (let fold = place.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) fold.open = true;
}

/** Where a fold lies, so that it stays as it is when everything is drawn anew. */
function addressOf(fold: HTMLDetailsElement): string {
  const place = fold.closest<HTMLElement>("[data-place]")?.dataset["place"] ?? "";
  return `${place}#${fold.querySelector("summary")?.textContent ?? ""}`;
}
