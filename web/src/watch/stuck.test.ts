import { expect, it } from "vitest";
import { type Dryness, isStuck, type Look, withLook } from "./stuck.ts";

/** Whether a player is stuck after these looks, one a second. */
function after(looks: Omit<Look, "at">[]): boolean {
  let dryness: Dryness | null = null;
  looks.forEach((look, n) => (dryness = withLook(dryness, { ...look, at: n * 1_000 })));
  return isStuck(dryness, (looks.length - 1) * 1_000);
}

const dry = (edge: number | null) => ({ dry: true, edge });

it("an encoder that is away is waited for", () => {
  expect(after(Array.from({ length: 60 }, () => dry(20)))).toBe(false);
});

it("media that come and are not shown", () => {
  const looks = [dry(20), dry(20), dry(21), dry(22), dry(23), dry(24)];
  expect(after(looks)).toBe(false);
  expect(after([...looks, dry(25)])).toBe(true);
});

it("what is shown again is not stuck", () => {
  const looks = [dry(20), dry(21), dry(22), dry(23), { dry: false, edge: 24 }, dry(25), dry(26)];
  expect(after(looks)).toBe(false);
});

it("where the browser does not say, nothing is known", () => {
  expect(after(Array.from({ length: 9 }, () => dry(null)))).toBe(false);
});
