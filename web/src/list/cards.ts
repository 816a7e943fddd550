// The list of cards: one per presentation, in the order of the answer.

import type { Stream } from "../api.ts";
import { type Card, card } from "./card.ts";
import { gatewayNow, keyOf, type ListState } from "./state.ts";

/** Keeps `list` showing the state's presentations; gives the function that does it. */
export function cards(
  list: HTMLElement,
  disconnect: (stream: Stream) => void,
): (state: ListState) => void {
  const shown = new Map<string, Card>();
  return (state) => {
    const now = state.status ? gatewayNow(state.status) : Date.now();
    const present = new Set(state.streams.map(keyOf));
    for (const [key, old] of shown) {
      if (present.has(key)) continue;
      old.element.remove();
      shown.delete(key);
    }
    state.streams.forEach((stream, index) => {
      const key = keyOf(stream);
      const entry = shown.get(key) ?? card(stream, disconnect);
      shown.set(key, entry);
      entry.show(stream, { history: state.history.get(key) ?? [], now });
      // Moved only if it is not there already: moving takes the focus away.
      if (list.children[index] !== entry.element) {
        list.insertBefore(entry.element, list.children[index] ?? null);
      }
    });
  };
}
