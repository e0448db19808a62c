// What has not reached the server yet, kept in this browser until it has: for its own account, and sealed for all others.
import { accountHere, flag } from "./account";
import type { Data } from "./sheet";

/**
 * `base` is what the server had when it was typed, `submit` the whole form where it is to be handed in. `isLeaving`: the
 * page was left by one of its buttons, so that the server has it unless the network broke.
 */
export interface Kept {
  url: string;
  page: string;
  revision: number;
  base: Data;
  data: Data;
  at: number;
  submit?: { action: string; body: string };
  isLeaving?: boolean;
}

/** A record as it lies in the browser; `sealed` can be opened only with the key that the server lends to its account. */
interface Shelved {
  id: string;
  account: string;
  at: number;
  sealed?: { iv: Uint8Array<ArrayBuffer>; bytes: ArrayBuffer };
  plain?: Kept;
}

const NAME = "shuren-forms";
const STORE = "sealed";
const LONGEST = 30 * 24 * 3600 * 1000;

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 2);
    request.onupgradeneeded = () => {
      // The first version did not know whose its records were.
      for (const store of request.result.objectStoreNames) request.result.deleteObjectStore(store);
      request.result.createObjectStore(STORE, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function done<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise<T>((resolve, reject) => {
      const change = database.transaction(STORE, mode);
      const request = ask(change.objectStore(STORE));
      change.oncomplete = () => resolve(request.result);
      change.onerror = change.onabort = () => reject(change.error);
    });
  } finally {
    database.close();
  }
}

function idOf(url: string): string {
  return `${accountHere()} ${url}`;
}

/** The key of the account; null over plain HTTP, where browsers encrypt nothing. */
let lent: Promise<CryptoKey> | null = null;
function key(): Promise<CryptoKey> | null {
  const text = document.body.dataset["shelfKey"] ?? "";
  if (!text || !("subtle" in crypto)) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  lent ??= crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  return lent;
}

async function sealed(record: Kept): Promise<Shelved> {
  const outside = { id: idOf(record.url), account: accountHere(), at: record.at };
  const secret = await key();
  if (!secret) return { ...outside, plain: record };
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new TextEncoder().encode(JSON.stringify(record));
  const bytes = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(outside.id) }, secret, text);
  return { ...outside, sealed: { iv, bytes } };
}

/** The record, or nothing where the key is another by now. */
async function unsealed(shelved: Shelved): Promise<Kept | undefined> {
  if (!shelved.sealed) return shelved.plain;
  const secret = await key();
  if (!secret) return undefined;
  const { iv, bytes } = shelved.sealed;
  const how = { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(shelved.id) };
  const text = await crypto.subtle.decrypt(how, secret, bytes).catch(() => null);
  return text ? (JSON.parse(new TextDecoder().decode(text)) as Kept) : undefined;
}

export async function keep(record: Kept): Promise<void> {
  if (!accountHere()) return;
  const shelved = await sealed(record);
  await done("readwrite", (store) => store.put(shelved));
  flag(true);
}

export async function kept(url: string): Promise<Kept | undefined> {
  const shelved = await done<Shelved | undefined>("readonly", (store) => store.get(idOf(url)));
  return shelved ? unsealed(shelved) : undefined;
}

/** What waits for this account; what nobody came back for in a month is thrown away, whosever it was. */
export async function allKept(): Promise<Kept[]> {
  const all = await done<Shelved[]>("readonly", (store) => store.getAll());
  for (const old of all.filter((one) => one.at < Date.now() - LONGEST)) await done("readwrite", (store) => store.delete(old.id));
  const own = all.filter((one) => accountHere() !== "" && one.account === accountHere() && one.at >= Date.now() - LONGEST);
  const records = await Promise.all(own.map(unsealed));
  return records.filter((one) => one !== undefined);
}

/** Forget what reached the server, unless more was typed since. */
export async function forget(url: string, at: number): Promise<void> {
  const record = await done<Shelved | undefined>("readonly", (store) => store.get(idOf(url)));
  if (record && record.at <= at) await done("readwrite", (store) => store.delete(idOf(url)));
  flag((await allKept()).length > 0);
}
