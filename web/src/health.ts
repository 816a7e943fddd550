// Health in the words of the pages. Pure.

import type { Advice, Health, HealthStatus, Life } from "./api.ts";
import { elapsed, plural } from "./format.ts";

/** The short word beside a stream. */
export const STATUSES: Readonly<Record<HealthStatus, string>> = {
  good: "Healthy",
  warning: "Could be better",
  problem: "In trouble",
};

/** What a piece of advice is headed with. */
export const SEVERITIES: Readonly<Record<Advice["severity"], string>> = {
  hint: "Hint",
  warning: "Warning",
  problem: "Problem",
};

/**
 * How long and how often: `for 3 min 20 s, seen 12 times, last 4 s ago`. `at` is the gateway's time of the
 * answer, so that a wrong clock here does not matter.
 */
export function frequency(advice: Pick<Advice, "since" | "last" | "times">, at: string): string {
  const ago = (time: string) => (Date.parse(at) - Date.parse(time)) / 1000;
  const parts = [`For ${elapsed(ago(advice.since))}`, `seen ${plural(advice.times, "time")}`];
  if (ago(advice.last) >= 5) parts.push(`last ${elapsed(ago(advice.last))} ago`);
  return parts.join(", ");
}

/** What stands above the advice of a stream in `state`. */
export function heading({ status, advice, state }: Pick<Health, "status" | "advice" | "state">): string {
  if (state !== "live") return advice.length === 0 ? "" : "The encoder, when it left";
  if (status === "good") return advice.length === 0 ? "The encoder is set right" : "The encoder is set right, nearly";
  return status === "warning" ? "The encoder could be set better" : "The encoder is in trouble";
}

/**
 * Why there is no picture, as far as the gateway knows; null where it knows nothing better than the page.
 * The gravest advice explains most.
 */
export function whyNoPicture({ state, advice }: { state: Life; advice: readonly Advice[] }): string | null {
  if (state === "resuming") return "The encoder has left. Waiting for it to come back…";
  if (state === "ended") return null;
  const gravest = advice[0];
  if (gravest === undefined) return null;
  return gravest.severity === "problem" || WAITED_FOR.has(gravest.kind) ? gravest.text : null;
}

/** These hold the picture up although they are no problem later. */
const WAITED_FOR: ReadonlySet<string> = new Set(["key_frame_interval", "uplink_stalls"]);
