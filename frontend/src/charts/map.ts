import type { ChartData, Point } from "./data";
import type { Look } from "./look";
import { datum, frame, shown, type Option } from "./parts";

/** A map from the units' own outlines; `mapName` must have been registered with them. */
export function mapOption(chart: ChartData, look: Look, mapName: string): Option {
  const subject = chart.series[0] ?? { name: "", points: [] };
  const [low, high] = tileRange(chart);
  return {
    ...frame(chart, look),
    visualMap: {
      type: "piecewise",
      show: false,
      min: low,
      max: high,
      splitNumber: 5,
      inRange: { color: look.steps },
      outOfRange: { color: look.rule },
    },
    series: [
      {
        type: "map",
        map: mapName,
        aspectScale: squeeze(subject.points),
        roam: false,
        selectedMode: false,
        top: 8,
        bottom: 8,
        label: { show: true, color: look.ink, fontSize: 12 },
        itemStyle: { areaColor: look.rule, borderColor: look.surface, borderWidth: 1 },
        emphasis: { label: { show: true }, itemStyle: { areaColor: undefined, borderColor: look.ink, borderWidth: 2 } },
        data: subject.points.map((point) => ({
          ...datum(subject, point, shown(point) ?? Number.NaN),
          name: point.label,
          label: { color: onColor(point, low, high, look) },
          emphasis: { label: { color: onColor(point, low, high, look) } },
        })),
      },
    ],
  };
}

/** How much narrower a degree of longitude is than one of latitude in the middle of the map. */
function squeeze(points: Point[]): number {
  const latitudes = points.flatMap((point) => (point.geometry?.coordinates.flat(Infinity) ?? []) as number[]).filter((_, at) => at % 2 === 1);
  const [south, north] = latitudes.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [Infinity, -Infinity]);
  return Number.isFinite(south) ? Math.cos((((south + north) / 2) * Math.PI) / 180) : 1;
}

/** Which of the five steps a value falls on; none without a value. */
export function stepOf(point: Point, low: number, high: number): number | null {
  const value = shown(point);
  if (value === null) return null;
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return Math.min(4, Math.max(0, Math.floor(share * 5)));
}

function onColor(point: Point, low: number, high: number, look: Look): string {
  const step = stepOf(point, low, high);
  if (step === null) return look.muted;
  return step < 3 ? look.onLow : look.onHigh;
}

export function tileRange(chart: ChartData): [number, number] {
  const values = (chart.series[0]?.points ?? []).map(shown).filter((value): value is number => value !== null);
  return [chart.minimum ?? Math.min(...values, Infinity), chart.maximum ?? Math.max(...values, -Infinity)];
}
