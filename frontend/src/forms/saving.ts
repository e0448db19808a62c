// Saving while somebody types: first in this browser, then on the server; queued while the network is away.
import { isSame } from "./collect";
import { merge, type Asked } from "./conflict";
import { said, type Settings } from "./settings";
import { sendDraft, sendWhole } from "./sending";
import type { Data } from "./sheet";
import { forget, keep, kept, type Kept } from "./shelf";

const SHELF_AFTER = 250;
const SEND_AFTER = 1200;
const TRY_AGAIN_AFTER = 15_000;

interface Hands {
  now: () => Data;
  put: (data: Data) => void;
  ask: (asked: Asked) => void;
}

export class Saving {
  private base: Data;
  private isAsking = false;
  private isSending = false;
  private mayLeave = false;
  private shelfTimer = 0;
  private sendTimer = 0;
  private lastAt = 0;
  private readonly page: HTMLElement;
  private readonly form: HTMLFormElement;
  private readonly settings: Settings;
  private readonly hands: Hands;

  constructor(page: HTMLElement, form: HTMLFormElement, settings: Settings, untouched: Data, hands: Hands) {
    this.page = page;
    this.form = form;
    this.settings = settings;
    this.hands = hands;
    this.base = untouched;
  }

  /** The one that was typed on; it goes along with the form, so that nobody's later work is written over. */
  private get revision(): number {
    return Number(this.box?.value ?? this.settings.revision);
  }

  private set revision(number: number) {
    if (this.box) this.box.value = String(number);
  }

  private get box(): HTMLInputElement | null {
    return this.page.querySelector("[data-sheet-revision]");
  }

  async start(): Promise<void> {
    if (!this.settings.saveUrl) return;
    this.form.addEventListener("submit", (event) => this.submitted(event));
    window.addEventListener("online", () => void this.send());
    window.addEventListener("pagehide", () => void this.shelve());
    document.addEventListener("visibilitychange", () => void (document.visibilityState === "hidden" && this.shelve()));
    const record = await kept(this.settings.saveUrl).catch(() => undefined);
    if (record) await this.restore(record);
    else if (!isSame(this.hands.now(), this.base)) this.changed();
  }

  changed(): void {
    if (!this.settings.saveUrl || this.isAsking) return;
    window.clearTimeout(this.shelfTimer);
    window.clearTimeout(this.sendTimer);
    this.shelfTimer = window.setTimeout(() => void this.shelve(), SHELF_AFTER);
    this.sendTimer = window.setTimeout(() => void this.send(), SEND_AFTER);
  }

  /** What was not sent when the page was left: put back, and joined with what the server has by now. */
  private async restore(record: Kept): Promise<void> {
    const theirs = this.base;
    if (isSame(record.data, theirs) || (record.isLeaving && record.revision !== this.revision)) {
      await forget(record.url, record.at);
      if (!record.submit) return;
    }
    this.lastAt = record.at;
    this.status("restored", { time: timeOf(new Date(record.at)) });
    if (record.revision !== this.revision) return this.join(record.data, record.base, theirs, this.revision);
    this.base = record.base;
    this.hands.put(record.data);
    if (record.submit) await keep(record);
    await this.send();
  }

  private record(): Kept {
    return {
      url: this.settings.saveUrl,
      page: location.pathname,
      revision: this.revision,
      base: this.base,
      data: this.hands.now(),
      at: (this.lastAt = Math.max(Date.now(), this.lastAt + 1)),
    };
  }

  private async shelve(): Promise<void> {
    if (this.mayLeave) return;
    window.clearTimeout(this.shelfTimer);
    const queued = await kept(this.settings.saveUrl).catch(() => undefined);
    if (isSame(this.hands.now(), this.base) && !queued?.submit) return;
    const record = this.record();
    await keep(queued?.submit ? { ...record, submit: this.whole() } : record).catch(() => undefined);
  }

  private whole(): { action: string; body: string } {
    const data = new FormData(this.form);
    data.set("act", "submit");
    const pairs = [...data].filter((pair): pair is [string, string] => typeof pair[1] === "string");
    return { action: this.form.action, body: new URLSearchParams(pairs).toString() };
  }

  private async send(): Promise<void> {
    if (this.isSending || this.isAsking) return;
    window.clearTimeout(this.sendTimer);
    const queued = await kept(this.settings.saveUrl).catch(() => undefined);
    if (isSame(this.hands.now(), this.base) && !queued?.submit) return;
    this.isSending = true;
    const record = this.record();
    const submit = queued?.submit;
    await keep(submit ? { ...record, submit: this.whole() } : record).catch(() => undefined);
    if (!submit) this.status("saving");
    const outcome = await sendDraft(record);
    this.isSending = false;
    if (outcome.kind === "saved") {
      this.revision = outcome.revision;
      this.base = record.data;
      if (submit) return this.handIn({ ...record, revision: outcome.revision, base: record.data, submit: this.whole() });
      await forget(record.url, record.at).catch(() => undefined);
      this.status("saved", { time: timeOf(new Date()) });
      if (!isSame(this.hands.now(), this.base)) this.changed();
    } else if (outcome.kind === "conflict") {
      this.join(record.data, this.base, outcome.data, outcome.revision);
    } else if (outcome.kind === "offline") {
      this.status(submit ? "queued" : "kept");
      this.sendTimer = window.setTimeout(() => void this.send(), TRY_AGAIN_AFTER);
    } else if (outcome.kind === "signedOut") {
      this.status("signedOut");
    } else {
      this.status("refused", { reason: outcome.reason || said(this.settings.words, "later") });
    }
  }

  private join(mine: Data, base: Data, theirs: Data, revision: number): void {
    const { merged, open } = merge(base, mine, { ...theirs });
    this.revision = revision;
    this.base = theirs;
    const settle = (chosen: Data): void => {
      this.isAsking = false;
      this.hands.put({ ...merged, ...chosen });
      void this.send();
    };
    if (!open.length) return settle({});
    this.isAsking = true;
    this.hands.ask({ mine, theirs, open, done: settle });
  }

  /** A form that cannot be sent now is queued whole and sent when the network is back. */
  private submitted(event: SubmitEvent): void {
    const button = event.submitter;
    const isWhole = button instanceof HTMLButtonElement && button.value === "submit";
    window.clearTimeout(this.shelfTimer);
    window.clearTimeout(this.sendTimer);
    if (this.mayLeave || navigator.onLine) {
      this.mayLeave = true;
      void keep({ ...this.record(), isLeaving: true }).catch(() => undefined);
      return;
    }
    event.preventDefault();
    const record = this.record();
    void keep(isWhole ? { ...record, submit: this.whole() } : record).then(() => this.status(isWhole ? "queued" : "kept"));
  }

  private async handIn(record: Kept): Promise<void> {
    this.status("sending");
    await keep(record).catch(() => undefined);
    const address = await sendWhole(record);
    if (address === null) {
      this.status("queued");
      this.sendTimer = window.setTimeout(() => void this.send(), TRY_AGAIN_AFTER);
    } else if (address) {
      this.mayLeave = true;
      location.assign(address);
    } else {
      // It was refused for what is in it: handed in again from here, the page tells why.
      this.mayLeave = true;
      this.form.querySelector<HTMLButtonElement>("button[name=act][value=submit]")?.click();
    }
  }

  private status(name: string, told: { [name: string]: string } = {}): void {
    const line = this.page.querySelector<HTMLElement>("[data-sheet-status]");
    if (!line) return;
    line.textContent = said(this.settings.words, name, told);
    line.dataset["state"] = name;
  }
}

function timeOf(date: Date): string {
  return date.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
}
