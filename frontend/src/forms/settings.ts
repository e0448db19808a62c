// What the server says about a form page, and the words of the page.
import type { Data, FormSpec } from "./sheet";

export interface Settings {
  saveUrl: string;
  uploadUrl: string;
  filesUrl: string;
  partiesUrl: string;
  workerUrl: string;
  revision: number;
  locked: string[];
  held: Data;
  form: FormSpec;
  words: { [name: string]: string };
}

export function said(words: { [name: string]: string }, name: string, told: { [name: string]: string } = {}): string {
  return (words[name] ?? "").replace(/\{(\w+)\}/g, (_all, part: string) => told[part] ?? "");
}
