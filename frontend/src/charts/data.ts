export type Kind = "histogram" | "levels" | "interval_dots" | "item_bars" | "tiles" | "trend";

export interface Geometry {
  type: "Polygon" | "MultiPolygon";
  coordinates: number[][][] | number[][][][];
}

export interface Point {
  label: string;
  value: number | null;
  low?: number;
  high?: number;
  count?: number;
  begin?: number;
  end?: number;
  url?: string;
  note?: string;
  group?: string;
  focus?: true;
  suppressed?: true;
  geometry?: Geometry;
}

export interface Series {
  name: string;
  points: Point[];
}

export interface Reference {
  label: string;
  value: number;
  low: number | null;
  high: number | null;
}

export interface ChartData {
  kind: Kind;
  name: string;
  title: string;
  labelTitle: string;
  valueTitle: string;
  intervalTitle: string;
  unit: string;
  decimals: number;
  minimum: number | null;
  maximum: number | null;
  note: string;
  compact: boolean;
  references: Reference[];
  series: Series[];
  words: Record<"png" | "svg" | "csv" | "download" | "keys" | "suppressed" | "none", string>;
}

const MINUS = "\u2212";

export function numberText(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined) return "—";
  const text = value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return /[1-9]/.test(text) ? text.replace("-", MINUS) : text.replace("-", "");
}

export function valueText(chart: ChartData, point: Point): string {
  if (point.suppressed) return "*";
  return numberText(point.value, chart.decimals) + (chart.unit === "%" && point.value !== null ? "%" : "");
}

/** What is said on pointing at a mark or reaching it by keyboard. */
export function pointText(chart: ChartData, series: Series, point: Point): string {
  const lines = [point.label, `${series.name ? `${series.name} ` : ""}${valueText(chart, point)}`];
  if (point.low !== undefined && point.high !== undefined) {
    const interval = `${numberText(point.low, chart.decimals)}–${numberText(point.high, chart.decimals)}`;
    lines.push(`${chart.intervalTitle} ${interval}`);
  }
  if (point.count !== undefined) lines.push(`n = ${numberText(point.count, 0)}`);
  if (point.suppressed) lines.push(point.note ?? chart.words.suppressed);
  else if (point.note) lines.push(point.note);
  return lines.join("\n");
}
