import { sm3 } from "./sm3";

/** A proof of the evidence log as docs/howto/evidence.md sets it out; bytes are hex. */
export interface Proof {
  format: string;
  log: { origin: string; hash: string; keys: string[] };
  entry: { business: string; subject: string; digest: string; salt: string; at: string };
  leaf_index: number;
  tree_size: number;
  path: string[];
  checkpoint: string;
}

export type Outcome = "valid" | "invalid" | "unreadable" | "unsupported" | "unknown";

export interface Verdict {
  outcome: Outcome;
  proof?: Proof;
  witnesses: { name: string; at: Date }[];
}

interface Key {
  name: string;
  id: string;
  kind: "Ed25519" | "ES256" | "other";
  isWitness: boolean;
  bytes: Uint8Array<ArrayBuffer>;
}

type Hash = (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

const FORMAT = "shuren-evidence-proof/v1";
const BUSINESSES = ["enrolment", "exam", "growth", "score", "diploma", "honour", "audit", "exchange"];
const text = new TextEncoder();

export function hex(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(value: string, length?: number): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(value) || (length !== undefined && value.length !== length * 2)) throw new Error("not hex");
  return Uint8Array.from(value.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function fromBase64(value: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function number(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let place = length - 1; place >= 0; place -= 1) {
    bytes[place] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

async function sha256(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

export function hashNamed(name: string): Hash {
  if (name === "SM3") return (data) => Promise.resolve(sm3(data));
  if (name === "SHA-256") return sha256;
  throw new Error("unknown hash");
}

/** Check a proof against keys that the reader trusts. Asks nobody. */
export async function verdictOf(source: string, logKeys: string[], witnessKeys: string[]): Promise<Verdict> {
  let proof: Proof;
  try {
    proof = readProof(source);
  } catch {
    return { outcome: "unreadable", witnesses: [] };
  }
  try {
    const note = readNote(proof.checkpoint);
    const hash = hashNamed(proof.log.hash);
    const fits = note.origin === proof.log.origin && note.size === proof.tree_size && note.hash === proof.log.hash;
    const root = await rootOf(proof, hash);
    if (!fits || !root || hex(root) !== hex(note.root)) return { outcome: "invalid", proof, witnesses: [] };
    const keys = await Promise.all(logKeys.map(readKey));
    const own = keys.filter((key) => !key.isWitness);
    const signed = await Promise.all(own.map((key) => signedBy(note, key)));
    // A key that has a line, or of which the head says that it signed, must hold: taking one of two away is noticed.
    const isBroken = own.some((key, place) => signed[place] === "broken" || (!signed[place] && note.keys.includes(key.id)));
    if (isBroken) return { outcome: "invalid", proof, witnesses: [] };
    if (!signed.some((at) => at instanceof Date)) {
      return { outcome: signed.includes("unsupported") ? "unsupported" : "unknown", proof, witnesses: [] };
    }
    const witnesses = [];
    for (const key of await Promise.all(witnessKeys.map(readKey))) {
      const at = key.isWitness ? await signedBy(note, key) : undefined;
      if (at instanceof Date) witnesses.push({ name: key.name, at });
    }
    return { outcome: "valid", proof, witnesses };
  } catch {
    return { outcome: "invalid", proof, witnesses: [] };
  }
}

function readProof(source: string): Proof {
  const proof = JSON.parse(source) as Proof;
  const { entry, log } = proof;
  const words = [entry.business, entry.subject, entry.digest, entry.salt, entry.at, log.origin, log.hash, proof.checkpoint];
  const counts = [proof.leaf_index, proof.tree_size];
  const isFormed =
    proof.format === FORMAT &&
    words.every((word) => typeof word === "string") &&
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    Array.isArray(proof.path) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$/.test(entry.at);
  if (!isFormed) throw new Error("not a proof");
  return proof;
}

async function rootOf(proof: Proof, hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { business, subject, digest, salt, at } = proof.entry;
  const named = text.encode(subject);
  const domain = text.encode("shuren/evidence/v1\n");
  const code = BUSINESSES.indexOf(business) + 1;
  if (code === 0) return undefined;
  const committed = await hash(joined(domain, fromHex(salt, 16), number(named.length, 2), named, fromHex(digest, 32)));
  const entry = joined(Uint8Array.of(1, code), number(Date.parse(at), 8), committed);
  let result = await hash(joined(Uint8Array.of(0), entry));
  // RFC 9162 section 2.1.3.2; the numbers outgrow 32 bits, so halving is division.
  let place = proof.leaf_index;
  let last = proof.tree_size - 1;
  if (place > last) return undefined;
  for (const step of proof.path) {
    if (last === 0) return undefined;
    const other = fromHex(step, 32);
    if (place % 2 === 1 || place === last) {
      result = await hash(joined(Uint8Array.of(1), other, result));
      while (place % 2 === 0 && place > 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else {
      result = await hash(joined(Uint8Array.of(1), result, other));
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? result : undefined;
}

interface Note {
  origin: string;
  size: number;
  hash: string;
  keys: string[];
  root: Uint8Array;
  signed: string;
  lines: string[];
}

function readNote(source: string): Note {
  const gap = source.lastIndexOf("\n\n");
  const signed = source.slice(0, gap + 1);
  const [origin = "", size = "", root = "", ...rest] = source.slice(0, gap).split("\n");
  const named = rest.filter((line) => line.startsWith("hash "));
  if (gap < 0 || !/^(0|[1-9]\d*)$/.test(size) || named.length > 1) throw new Error("not a checkpoint");
  const hash = named[0]?.slice("hash ".length) ?? "SHA-256";
  const keys = rest.filter((line) => line.startsWith("keys ")).flatMap((line) => line.slice("keys ".length).split(","));
  return { origin, size: Number(size), hash, keys, root: fromBase64(root), signed, lines: source.slice(gap + 2).split("\n") };
}

async function readKey(source: string): Promise<Key> {
  const [name = "", id = "", ...rest] = source.trim().split("+");
  const data = fromBase64(rest.join("+"));
  const expected = hex((await sha256(joined(text.encode(`${name}\n`), data))).slice(0, 4));
  if (id !== expected) throw new Error("the key's id does not fit it");
  if (data[0] === 1 || data[0] === 4) return { name, id, kind: "Ed25519", isWitness: data[0] === 4, bytes: data.slice(1) };
  const end = data.indexOf(10);
  const [word = "", role = ""] = new TextDecoder().decode(data.slice(1, end)).split(" ");
  return { name, id, kind: word === "ES256" ? "ES256" : "other", isWitness: role === "cosignature", bytes: data.slice(end + 1) };
}

/** When this key signed (the epoch where the signature tells no time); undefined where it has no line, "broken" where that lies. */
async function signedBy(note: Note, key: Key): Promise<Date | "unsupported" | "broken" | undefined> {
  let isBroken = false;
  for (const line of note.lines) {
    if (!line.startsWith(`— ${key.name} `)) continue;
    const data = fromBase64(line.slice(line.lastIndexOf(" ") + 1));
    if (hex(data.slice(0, 4)) !== key.id) continue;
    const at = key.isWitness ? Number(new DataView(data.buffer).getBigUint64(4)) : 0;
    const signed = text.encode(key.isWitness ? `cosignature/v1\ntime ${at}\n${note.signed}` : note.signed);
    const holds = await holdsFor(key, data.slice(key.isWitness ? 12 : 4), signed);
    if (holds === undefined) return "unsupported";
    if (holds) return new Date(at * 1000);
    isBroken = true;
  }
  return isBroken ? "broken" : undefined;
}

async function holdsFor(key: Key, signature: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<boolean | undefined> {
  if (key.kind === "other") return undefined;
  try {
    if (key.kind === "Ed25519") {
      const ready = await crypto.subtle.importKey("raw", key.bytes, { name: "Ed25519" }, false, ["verify"]);
      return await crypto.subtle.verify({ name: "Ed25519" }, ready, signature, data);
    }
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const ready = await crypto.subtle.importKey("spki", key.bytes, curve, false, ["verify"]);
    return await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, ready, signature, data);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return undefined;
    throw error;
  }
}
