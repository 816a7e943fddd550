// The lines above the cards: how many are live, the gateway itself, and whether it answers.

import { byId, setText } from "../dom.ts";
import { bitRate, count, elapsed, plural } from "../format.ts";
import type { ListState } from "./state.ts";

/** Keeps the overview showing the state; gives the function that does it. */
export function overview(): (state: ListState) => void {
  const banner = byId("banner", HTMLElement);
  const headline = byId("headline", HTMLElement);
  const gateway = byId("gateway", HTMLElement);
  return (state) => {
    setText(banner, state.link.kind === "down" ? `The gateway does not answer (${state.link.reason}). ${PROMISE}` : "");
    document.body.classList.toggle("stale", state.link.kind === "down");
    const text = headlineOf(state);
    setText(headline, text);
    document.title = `${text} · Forebay`;
    setText(gateway, gatewayLine(state));
  };
}

const PROMISE = "What you see is from before; the page goes on by itself as soon as it is back.";

function headlineOf({ link, streams }: ListState): string {
  if (link.kind === "connecting") return "Connecting";
  const live = streams.filter((stream) => stream.state === "live").length;
  return live === 0 ? "Nothing is live" : `${plural(live, "stream")} live`;
}

function gatewayLine({ status, traffic }: ListState): string {
  if (status === null) return "";
  const parts = [
    `Forebay ${status.version}`,
    `up ${elapsed(status.uptime_seconds)}`,
    plural(status.now.http_connections, "HTTP connection"),
    plural(status.totals.publishes, "publish", "publishes"),
  ];
  if (status.totals.publishes_refused > 0) parts.push(`${count(status.totals.publishes_refused)} refused`);
  if (traffic) parts.push(`in ${bitRate(traffic.received)}`, `out ${bitRate(traffic.sent)}`);
  return parts.join(" · ");
}
