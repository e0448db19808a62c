import { numberText, valueText, type ChartData } from "./data";
import { stepOf, tileRange } from "./map";

/** The five steps of the scale with the values they begin and end at. */
export function scaleKey(chart: ChartData): HTMLUListElement {
  const [low, high] = tileRange(chart);
  const key = document.createElement("ul");
  key.className = "tile-key";
  if (!Number.isFinite(low) || high <= low) return key;
  for (let step = 0; step < 5; step += 1) {
    const [from, to] = [low + ((high - low) / 5) * step, low + ((high - low) / 5) * (step + 1)];
    const entry = document.createElement("li");
    entry.dataset["step"] = String(step);
    entry.textContent = `${numberText(from, chart.decimals)}–${numberText(to, chart.decimals)}`;
    key.append(entry);
  }
  return key;
}

/** Equal tiles as ordinary links: they wrap on a phone and need no keys of their own. */
export function showTiles(picture: HTMLElement, chart: ChartData): void {
  const [low, high] = tileRange(chart);
  const grid = document.createElement("ul");
  grid.className = "tiles";
  for (const point of chart.series[0]?.points ?? []) {
    const tile = document.createElement(point.url ? "a" : "div");
    if (tile instanceof HTMLAnchorElement && point.url) tile.href = point.url;
    tile.className = "tile";
    const step = stepOf(point, low, high);
    if (step !== null) tile.dataset["step"] = String(step);
    if (point.focus) tile.dataset["focus"] = "";
    const name = Object.assign(document.createElement("span"), { className: "tile-name", textContent: point.label });
    const value = Object.assign(document.createElement("strong"), { textContent: valueText(chart, point) });
    tile.append(name, value);
    if (point.low !== undefined && point.high !== undefined && step !== null) {
      const words = `${numberText(point.low, chart.decimals)}–${numberText(point.high, chart.decimals)}`;
      tile.append(Object.assign(document.createElement("small"), { textContent: words }));
    }
    const place = document.createElement("li");
    place.append(tile);
    grid.append(place);
  }
  picture.replaceChildren(scaleKey(chart), grid);
}
