// On pages without a form: what was typed off-line elsewhere is sent once the network is back.
import { toast } from "../toasts";
import { isSame } from "./collect";
import { sendDraft, sendWhole, type Outcome } from "./sending";
import { allKept, forget, keep, type Kept } from "./shelf";

export async function sendWaiting(): Promise<void> {
  for (const record of await allKept()) {
    if (record.page === location.pathname) continue;
    const outcome = settled(await sendDraft(record), record);
    if (outcome.kind === "offline" || outcome.kind === "signedOut") return;
    if (outcome.kind !== "saved") {
      if (record.isLeaving) await forget(record.url, record.at);
      continue;
    }
    if (!record.submit) {
      await forget(record.url, record.at);
      continue;
    }
    const saved = { ...record, revision: outcome.revision, base: record.data };
    await keep(saved);
    const address = await sendWhole(saved);
    if (address === null) continue;
    // Refused for what is in it, it is a draft again, and the page tells why.
    const words = document.body.dataset[address ? "sent" : "unsent"] ?? "";
    toast(words, { label: document.body.dataset["look"] ?? "→", run: () => location.assign(address || record.page) });
  }
}

/** Sent once already, by a page that was left before the answer came: the server holds what was typed. */
function settled(outcome: Outcome, record: Kept): Outcome {
  if (outcome.kind !== "conflict") return outcome;
  const { data, revision } = outcome;
  const isThere = Object.entries(record.data).every(([key, value]) => isSame(data[key], value));
  return isThere ? { kind: "saved", revision, savedAt: "" } : outcome;
}
