import { expect, it } from "vitest";
import { countStall, NO_STALLS, type StallEvent } from "./stalls.ts";

it.each<[string, StallEvent[], count: number, longestMs: number]>([
  ["waiting for the first picture is no stall", ["starved", "starved", "moving"], 0, 0],
  ["one stall reported twice counts once", ["moving", "starved", "starved", "moving"], 1, 200],
  ["two stalls, of which one is not over", ["moving", "starved", "moving", "starved", "starved"], 2, 100],
  ["the longest stays", ["moving", "starved", "starved", "moving", "starved", "moving"], 2, 200],
  ["waiting after a seek is no stall", ["moving", "interrupted", "starved", "moving"], 0, 0],
  ["a seek ends a stall", ["moving", "starved", "interrupted", "starved", "moving"], 1, 100],
  ["a stall after a seek has played is one", ["moving", "interrupted", "moving", "starved"], 1, 0],
])("%s", (_, events, count, longestMs) => {
  const stalls = events.reduce((stalls, event, turn) => countStall(stalls, event, 100 * turn), NO_STALLS);
  expect(stalls).toMatchObject({ count, longestMs });
});
