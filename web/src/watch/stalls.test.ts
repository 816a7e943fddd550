import { expect, it } from "vitest";
import { countStall, NO_STALLS, type StallEvent } from "./stalls.ts";

it.each<[string, StallEvent[], number]>([
  ["waiting for the first picture is no stall", ["starved", "starved", "moving"], 0],
  ["one stall reported twice counts once", ["moving", "starved", "starved", "moving"], 1],
  ["two stalls", ["moving", "starved", "moving", "starved"], 2],
  ["waiting after a seek is no stall", ["moving", "interrupted", "starved", "moving"], 0],
  ["a stall after a seek has played is one", ["moving", "interrupted", "moving", "starved"], 1],
])("%s", (_, events, expected) => {
  expect(events.reduce(countStall, NO_STALLS).count).toBe(expected);
});
