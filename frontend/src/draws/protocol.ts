import { hashNamed, hex } from "../proofs";
import { sm3 } from "../sm3";

/** The protocol of docs/decisions/0012-draws-nobody-can-steer.md, written a second time. */
export interface Ticket {
  id: string;
  label: string;
  org: string;
  stratum: string;
  barred: Record<string, number>;
}

interface Rules {
  kind: string;
  count: number;
  inspectors_each?: number;
  conflicts: { same_org: boolean; when: string }[];
}

export interface Bundle {
  protocol: string;
  statement: {
    protocol: string;
    rules: Rules;
    pools_sha256: string;
    pools_sm3: string;
    commitment: string;
    operator: { id: string; name: string };
    contributor: { id: string; name: string; kind: string };
    committed_at: string;
    contribution_due_at: string;
    reveal_due_at: string;
  };
  statement_digest: string;
  pools: { objects: Ticket[]; inspectors: Ticket[] };
  contribution: { value: string; by: string; at: string };
  secret: string;
  seed: string;
  result: { object: string; inspectors: string[] }[];
  proofs: Record<string, string>;
}

/** `isGood` undefined: the file alone cannot tell. */
export interface Step {
  name: string;
  isGood: boolean | undefined;
}

type Bytes = Uint8Array<ArrayBuffer>;
const sha256 = hashNamed("SHA-256");
const text = new TextEncoder();
const SPAN = 1n << 64n;

/** Sorted keys, no spaces: as Python's `json.dumps` writes it. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).sort(([one], [other]) => byPoint(one, other));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}

/** The order of code points: JavaScript's own would put some rare characters elsewhere. */
export function byPoint(one: string, other: string): number {
  const [left, right] = [Array.from(one), Array.from(other)];
  for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
    const difference = (left[place]?.codePointAt(0) ?? 0) - (right[place]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function bytes(hexText: string): Bytes {
  if (!/^([0-9a-f]{2})*$/.test(hexText)) throw new Error("not hexadecimal");
  return Uint8Array.from(hexText.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

async function digest(data: Uint8Array): Promise<string> {
  return hex(await sha256(joined(data)));
}

class Stream {
  private words: bigint[] = [];
  private block = 0n;
  constructor(private readonly head: Bytes) {}

  async below(limit: number): Promise<number> {
    const wide = BigInt(limit);
    const even = SPAN - (SPAN % wide);
    for (;;) {
      const word = await this.next();
      if (word < even) return Number(word % wide);
    }
  }

  private async next(): Promise<bigint> {
    if (this.words.length === 0) {
      const number = new DataView(new ArrayBuffer(8));
      number.setBigUint64(0, this.block);
      this.block += 1n;
      const found = new DataView((await sha256(joined(this.head, new Uint8Array(number.buffer)))).buffer);
      this.words = [0, 8, 16, 24].map((place) => found.getBigUint64(place));
    }
    return this.words.shift() ?? 0n;
  }
}

export async function shuffled<Thing>(things: readonly Thing[], seed: Bytes, label: string): Promise<Thing[]> {
  const order = [...things];
  const stream = new Stream(joined(seed, text.encode(`${label}\0`)));
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = await stream.below(last + 1);
    [order[last], order[other]] = [order[other] as Thing, order[last] as Thing];
  }
  return order;
}

/** Largest remainder; of equal remainders the first by name. */
export function shares(sizes: Map<string, number>, count: number): Map<string, number> {
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const names = [...sizes.keys()].sort(byPoint);
  const whole = new Map(names.map((name) => [name, total ? Math.floor(((sizes.get(name) ?? 0) * count) / total) : 0]));
  const rest = (name: string): number => (total ? ((sizes.get(name) ?? 0) * count) % total : 0);
  const left = count - [...whole.values()].reduce((sum, size) => sum + size, 0);
  const favoured = [...names].sort((one, other) => rest(other) - rest(one) || byPoint(one, other)).slice(0, left);
  for (const name of favoured) whole.set(name, (whole.get(name) ?? 0) + 1);
  return whole;
}

async function outcome(rules: Rules, pools: Bundle["pools"], seed: Bytes): Promise<Bundle["result"]> {
  const objects = [...pools.objects].sort((one, other) => byPoint(one.id, other.id));
  if (rules.kind === "lottery") {
    return (await shuffled(objects, seed, "lottery")).map((ticket) => ({ object: ticket.id, inspectors: [] }));
  }
  const strata = new Map<string, Ticket[]>();
  for (const ticket of objects) strata.set(ticket.stratum, [...(strata.get(ticket.stratum) ?? []), ticket]);
  const share = shares(new Map([...strata].map(([name, tickets]) => [name, tickets.length])), rules.count);
  const drawn: Ticket[] = [];
  for (const [name, size] of share) drawn.push(...(await shuffled(strata.get(name) ?? [], seed, `objects:${name}`)).slice(0, size));
  return assigned(drawn, pools.inspectors, rules.inspectors_each ?? 0, seed);
}

async function assigned(drawn: Ticket[], inspectors: Ticket[], each: number, seed: Bytes): Promise<Bundle["result"]> {
  const people = inspectors.map((person) => person.id).sort(byPoint);
  const load = new Map(people.map((id) => [id, 0]));
  const free = new Map(drawn.map((ticket) => [ticket.id, people.filter((id) => !Object.hasOwn(ticket.barred, id))]));
  const count = (ticket: Ticket): number => free.get(ticket.id)?.length ?? 0;
  if (drawn.some((ticket) => count(ticket) < each)) throw new Error("too few inspectors");
  const chosen = new Map<string, string[]>();
  for (const ticket of [...drawn].sort((one, other) => count(one) - count(other))) {
    const asked = await shuffled(free.get(ticket.id) ?? [], seed, `inspectors:${ticket.id}`);
    const found = asked.sort((one, other) => (load.get(one) ?? 0) - (load.get(other) ?? 0)).slice(0, each);
    for (const id of found) load.set(id, (load.get(id) ?? 0) + 1);
    chosen.set(ticket.id, found);
  }
  return drawn.map((ticket) => ({ object: ticket.id, inspectors: chosen.get(ticket.id) ?? [] }));
}

/** Conflicts that hang on an expression are judged by `shuren draw verify`; here only those of one org are. */
function conflicts(bundle: Bundle): boolean | undefined {
  const rules = bundle.statement.rules.conflicts;
  let isOpen = false;
  for (const ticket of bundle.pools.objects) {
    for (const person of bundle.pools.inspectors) {
      const told = ticket.barred[person.id];
      const isSame = (number: number): boolean => Boolean(rules[number]?.same_org && ticket.org && ticket.org === person.org);
      if (told === undefined && rules.some((_rule, number) => isSame(number))) return false;
      if (told !== undefined && !isSame(told)) {
        if (!rules[told]?.when) return false;
        isOpen = true;
      }
      if (told === undefined && rules.some((rule) => rule.when)) isOpen = true;
    }
  }
  return isOpen ? undefined : true;
}

function inOrder(tickets: Ticket[]): boolean {
  return tickets.every((ticket, place) => place === 0 || byPoint(tickets[place - 1]?.id ?? "", ticket.id) < 0);
}

/** Every step again, from the file alone; a part that cannot be read is a step that does not hold. */
export async function verify(bundle: Bundle): Promise<Step[]> {
  const pools = text.encode(canonical(bundle.pools));
  const seed = async (): Promise<Bytes> =>
    sha256(joined(bytes(bundle.secret), text.encode(bundle.contribution.value), await sha256(pools)));
  const { statement, contribution } = bundle;
  const time = (moment: string): number => Date.parse(moment);
  const checks: [string, () => Promise<boolean | undefined>][] = [
    ["protocol", async () => bundle.protocol === "shuren-draw-1" && statement.protocol === bundle.protocol],
    ["pools", async () => inOrder(bundle.pools.objects) && inOrder(bundle.pools.inspectors) && (await digest(pools)) === statement.pools_sha256],
    ["pools_sm3", async () => hex(sm3(pools)) === statement.pools_sm3],
    ["conflicts", async () => conflicts(bundle)],
    ["statement", async () => (await digest(text.encode(canonical(statement)))) === bundle.statement_digest],
    ["parties", async () => statement.contributor.id !== statement.operator.id && contribution.by === statement.contributor.id],
    [
      "times",
      async () =>
        time(statement.committed_at) < time(contribution.at) &&
        time(contribution.at) <= time(statement.contribution_due_at) &&
        time(statement.contribution_due_at) <= time(statement.reveal_due_at),
    ],
    ["commitment", async () => bundle.secret.length === 64 && (await digest(bytes(bundle.secret))) === statement.commitment],
    ["seed", async () => hex(await seed()) === bundle.seed],
    ["result", async () => canonical(await outcome(statement.rules, bundle.pools, await seed())) === canonical(bundle.result)],
  ];
  const steps: Step[] = [];
  for (const [name, check] of checks) {
    try {
      steps.push({ name, isGood: await check() });
    } catch {
      steps.push({ name, isGood: false });
    }
  }
  return steps;
}
