import { expect, it } from "vitest";
import { isStuck, type Look, type Standstill, withLook } from "./stuck.ts";

/**
 * Whether a player is stuck after these looks, one a second: what is shown, where the playlist ends, and whether there
 * is a picture.
 */
function after(looks: [position: number, edge: number | null, shows?: boolean][]): boolean {
  let standstill: Standstill | null = null;
  looks.forEach(([position, edge, shows = true], n) => {
    const look: Look = { shows, position, edge, at: n * 1_000 };
    standstill = withLook(standstill, look);
  });
  return isStuck(standstill, (looks.length - 1) * 1_000);
}

it("an encoder that is away is waited for", () => {
  expect(after(Array.from({ length: 60 }, () => [19.9, 20]))).toBe(false);
});

it("media that come and are not shown", () => {
  const looks: [number, number][] = [20, 20, 21, 22, 23, 24].map((edge) => [19.9, edge]);
  expect(after(looks)).toBe(false);
  expect(after([...looks, [19.9, 25]])).toBe(true);
  expect(after([...looks, [20.1, 25]])).toBe(true);
});

it("a picture that moves is not stuck, however little is in hand", () => {
  expect(after(Array.from({ length: 60 }, (_, n) => [n, n + 0.4]))).toBe(false);
});

it("jumping after the edge without a picture is not moving", () => {
  const looks: [number, number, boolean][] = [20, 21, 22, 23, 24, 25].map((edge) => [edge - 1, edge, false]);
  expect(after(looks)).toBe(true);
  expect(after([...looks, [25.5, 26, true]])).toBe(false);
});

it("what is shown again is not stuck", () => {
  expect(after([[19, 20], [19, 21], [19, 22], [19, 23], [23, 24], [23, 25], [23, 26]])).toBe(false);
});

it("where the browser does not say, nothing is known", () => {
  expect(after(Array.from({ length: 9 }, () => [1, null]))).toBe(false);
});
