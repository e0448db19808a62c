// Sending what was typed: a draft over the revision it was typed on, then the whole form.
import type { Data } from "./sheet";
import { forget, type Kept } from "./shelf";

export type Outcome =
  | { kind: "saved"; revision: number; savedAt: string }
  | { kind: "conflict"; data: Data; revision: number }
  | { kind: "offline" }
  | { kind: "signedOut" }
  | { kind: "refused"; reason: string };

function token(): string {
  return document.body.dataset["csrf"] ?? "";
}

export async function sendDraft(record: Kept): Promise<Outcome> {
  let response: Response;
  try {
    response = await fetch(record.url, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() },
      body: JSON.stringify({ revision: record.revision, data: record.data }),
      redirect: "manual",
    });
  } catch {
    return { kind: "offline" };
  }
  if (response.type === "opaqueredirect" || response.status === 401) return { kind: "signedOut" };
  const told = (await response.json().catch(() => ({}))) as {
    revision?: number;
    saved_at?: string;
    data?: Data;
    error?: { message?: string; remedy?: string };
  };
  if (response.ok && told.revision !== undefined) return { kind: "saved", revision: told.revision, savedAt: told.saved_at ?? "" };
  if (response.status === 409 && told.data && told.revision !== undefined) {
    return { kind: "conflict", data: told.data, revision: told.revision };
  }
  if (response.status >= 502) return { kind: "offline" };
  return { kind: "refused", reason: told.error ? `${told.error.message ?? ""}${told.error.remedy ?? ""}` : "" };
}

/** Hands a queued form in; the address to go to, or null where the network is away, or empty where it was refused. */
export async function sendWhole(record: Kept): Promise<string | null> {
  if (!record.submit) return "";
  const body = new URLSearchParams(record.submit.body);
  body.set("csrfmiddlewaretoken", token());
  // The draft that went before it was a revision of its own.
  if (body.has("revision")) body.set("revision", String(record.revision));
  try {
    const response = await fetch(record.submit.action, { method: "POST", headers: { "X-CSRFToken": token() }, body });
    if (response.status >= 502) return null;
    await forget(record.url, record.at);
    return response.ok && response.redirected ? response.url : "";
  } catch {
    return null;
  }
}
