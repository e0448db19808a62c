import { hashNamed, hex, verdictOf, type Verdict } from "./proofs";

/** The page that checks a proof: everything happens here, nothing is sent. */
export function startEvidence(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => event.preventDefault());
  let latest = 0;
  const check = async (): Promise<void> => {
    const file = field(form, "proof")?.files?.[0];
    if (!file) return;
    latest += 1;
    const turn = latest;
    const verdict = await verdictOf(await file.text(), lines(form, "keys"), lines(form, "witnesses"));
    const original = field(form, "original")?.files?.[0];
    const isSame = original && verdict.proof ? await fits(original, verdict) : undefined;
    if (turn === latest) show(form, verdict, isSame);
  };
  form.addEventListener("change", () => void check());
  form.addEventListener("drop", () => setTimeout(() => void check()));
}

function field(form: HTMLFormElement, name: string): HTMLInputElement | null {
  return form.querySelector<HTMLInputElement>(`[data-evidence-${name}]`);
}

function lines(form: HTMLFormElement, name: string): string[] {
  const value = form.querySelector<HTMLTextAreaElement>(`[data-evidence-${name}]`)?.value ?? "";
  return value.split(/\s*\n\s*/).filter((line) => line !== "");
}

/** Digests come in either hash, whichever the business uses. */
async function fits(file: File, verdict: Verdict): Promise<boolean> {
  const data = new Uint8Array(await file.arrayBuffer());
  const digests = await Promise.all(["SM3", "SHA-256"].map((name) => hashNamed(name)(data)));
  return digests.some((digest) => hex(digest) === verdict.proof?.entry.digest);
}

function show(form: HTMLFormElement, verdict: Verdict, isSame: boolean | undefined): void {
  const word = (name: string): string => form.dataset[name] ?? "";
  const place = form.querySelector<HTMLElement>("[data-evidence-verdict]");
  if (!place) return;
  const isGood = verdict.outcome === "valid" && isSame !== false;
  const box = document.createElement("div");
  box.className = `notice ${isGood ? "notice-success" : "notice-error"}`;
  box.dataset["outcome"] = verdict.outcome;
  const title = document.createElement("strong");
  title.textContent = word(verdict.outcome);
  const said = document.createElement("p");
  said.append(title, document.createElement("br"), word(`${verdict.outcome}Text`));
  const words = document.createElement("div");
  words.append(said);
  box.append(words);
  if (isSame !== undefined) {
    const compared = document.createElement("p");
    compared.textContent = word(isSame ? "fileSame" : "fileOther");
    words.append(compared);
  }
  place.replaceChildren(box);
  if (verdict.outcome === "valid" && verdict.proof) place.append(facts(verdict, word));
}

function facts(verdict: Verdict, word: (name: string) => string): HTMLElement {
  const proof = verdict.proof;
  const list = document.createElement("dl");
  list.className = "facts mt-3";
  if (!proof) return list;
  const businesses = JSON.parse(document.getElementById("evidence-businesses")?.textContent ?? "{}") as Record<string, string>;
  const time = (at: Date): string => at.toLocaleString(document.documentElement.lang);
  const cosigned = verdict.witnesses.map((witness) => `${witness.name} (${time(witness.at)})`).join(", ");
  const rows: [string, string, boolean][] = [
    [word("business"), businesses[proof.entry.business] ?? proof.entry.business, false],
    [word("at"), time(new Date(proof.entry.at)), false],
    [word("subject"), proof.entry.subject, false],
    [word("place"), `${proof.leaf_index + 1} / ${proof.tree_size}`, false],
    [word("log"), proof.log.origin, false],
    [word("witnesses"), cosigned || word("none"), false],
    [word("digest"), proof.entry.digest, true],
  ];
  for (const [name, value, isCode] of rows) {
    const row = document.createElement("div");
    if (isCode) row.className = "facts-wide";
    const term = document.createElement("dt");
    term.textContent = name;
    const told = document.createElement("dd");
    const shown = isCode ? document.createElement("code") : told;
    shown.textContent = value;
    if (isCode) {
      shown.className = "digest";
      told.append(shown);
    }
    row.append(term, told);
    list.append(row);
  }
  return list;
}
