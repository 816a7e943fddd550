import { expect, it } from "vitest";
import { type Ahead, guess, learn, type Said } from "./clock.ts";

/** An answer of a gateway whose clock is 10 s ahead: asked for at `asked`, 20 ms on the way there and back. */
function answer(asked: number, grain: number, ahead = 10_000): Said {
  const said = Math.floor((asked + 20 + ahead) / grain) * grain;
  return { asked, answered: asked + 40, said, grain };
}

it("takes the clocks for equal until it knows better", () => {
  expect(guess(null)).toBe(0);
});

it("is right to half the way from one time in milliseconds", () => {
  expect(Math.abs(guess(learn(null, answer(123_456, 1))) - 10_000)).toBeLessThanOrEqual(20.5);
});

it("comes near with times in seconds, too", () => {
  const answers = [100_000, 106_310, 112_740, 119_170, 125_620].map((asked) => answer(asked, 1_000));
  const known = answers.reduce<Ahead | null>(learn, null);
  expect(Math.abs(guess(known) - 10_000)).toBeLessThan(200);
});

it("begins anew when a clock was set", () => {
  const known = learn(learn(null, answer(100_000, 1)), answer(103_000, 1, -5_000));
  expect(Math.abs(guess(known) + 5_000)).toBeLessThanOrEqual(20.5);
});
