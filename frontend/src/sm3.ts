const START = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

function turned(value: number, by: number): number {
  const places = by % 32;
  return places === 0 ? value : (value << places) | (value >>> (32 - places));
}

/** SM3 as in GB/T 32905-2016; browsers do not have it. */
export function sm3(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = ((data.length + 8) >> 6) * 64 + 64;
  const padded = new Uint8Array(length);
  padded.set(data);
  padded[data.length] = 0x80;
  const words = new DataView(padded.buffer);
  words.setUint32(length - 8, Math.floor(data.length / 0x20000000));
  words.setUint32(length - 4, (data.length * 8) >>> 0);
  let state = START;
  for (let place = 0; place < length; place += 64) state = compressed(state, words, place);
  const result = new DataView(new ArrayBuffer(32));
  state.forEach((value, index) => result.setUint32(index * 4, value >>> 0));
  return new Uint8Array(result.buffer);
}

function compressed(state: number[], words: DataView, place: number): number[] {
  const w: number[] = [];
  for (let j = 0; j < 16; j += 1) w.push(words.getInt32(place + j * 4));
  for (let j = 16; j < 68; j += 1) {
    const mixed = at(w, j - 16) ^ at(w, j - 9) ^ turned(at(w, j - 3), 15);
    w.push(mixed ^ turned(mixed, 15) ^ turned(mixed, 23) ^ turned(at(w, j - 13), 7) ^ at(w, j - 6));
  }
  let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
  for (let j = 0; j < 64; j += 1) {
    const early = j < 16;
    const one = turned((turned(a, 12) + e + turned(early ? 0x79cc4519 : 0x7a879d8a, j)) | 0, 7);
    const two = one ^ turned(a, 12);
    const left = ((early ? a ^ b ^ c : (a & b) | (a & c) | (b & c)) + d + two + (at(w, j) ^ at(w, j + 4))) | 0;
    const right = ((early ? e ^ f ^ g : (e & f) | (~e & g)) + h + one + at(w, j)) | 0;
    [d, c, b, a] = [c, turned(b, 9), a, left];
    [h, g, f, e] = [g, turned(f, 19), e, right ^ turned(right, 9) ^ turned(right, 17)];
  }
  return [a, b, c, d, e, f, g, h].map((value, index) => value ^ at(state, index));
}

function at(values: number[], index: number): number {
  return values[index] ?? 0;
}
