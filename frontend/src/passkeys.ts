import { toast } from "./toasts";

type Answer = { url?: string; error?: string };

/** Passkeys: register one on the security page, show one at the door or to confirm who is there. */
export function startPasskeys(): void {
  const isAble = window.isSecureContext && typeof PublicKeyCredential?.parseCreationOptionsFromJSON === "function";
  for (const place of document.querySelectorAll<HTMLElement>("[data-passkey-register]")) {
    place.hidden = !isAble;
    place.querySelector("button")?.addEventListener("click", () => void guarded(place, () => register(place)));
  }
  for (const button of document.querySelectorAll<HTMLElement>("[data-passkey-proof]")) {
    button.hidden = !isAble;
    button.addEventListener("click", () => void guarded(button, () => prove(button)));
  }
  for (const note of document.querySelectorAll<HTMLElement>("[data-passkey-missing]")) note.hidden = isAble;
}

async function register(place: HTMLElement): Promise<void> {
  const options = await post(place.dataset["begin"] ?? "", {});
  if (options === null) return;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON);
  const made = await navigator.credentials.create({ publicKey });
  if (!(made instanceof PublicKeyCredential)) throw new Error();
  const name = place.querySelector("input")?.value ?? "";
  const answer = await post(place.dataset["finish"] ?? "", { credential: made.toJSON(), name });
  if (answer !== null) window.location.reload();
}

async function prove(button: HTMLElement): Promise<void> {
  const options = await post(button.dataset["begin"] ?? "", {});
  if (options === null) return;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON);
  const shown = await navigator.credentials.get({ publicKey });
  if (!(shown instanceof PublicKeyCredential)) throw new Error();
  const answer = await post(button.dataset["finish"] ?? "", { credential: shown.toJSON(), next: button.dataset["next"] ?? "" });
  if (answer !== null) window.location.assign((answer as Answer).url || "/");
}

/** What the server answers; null when it sent us to another page first. */
async function post(url: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": document.body.dataset["csrf"] ?? "" },
    body: JSON.stringify(body),
  });
  if (answer.redirected) {
    window.location.assign(answer.url);
    return null;
  }
  const told = (await answer.json()) as Answer;
  if (!answer.ok) throw new Error(told.error ?? "");
  return told;
}

async function guarded(place: HTMLElement, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (fault) {
    const own = fault instanceof Error && !(fault instanceof DOMException) && fault.message;
    const text = own || (place.dataset["failed"] ?? "");
    const line = place.parentElement?.querySelector<HTMLElement>("[data-passkey-error]");
    if (!line) return toast(text);
    line.textContent = text;
    line.hidden = false;
  }
}
