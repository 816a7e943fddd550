// The list page: asks the gateway each second what is live, and shows it.

import "./styles/base.css";
import "./styles/list.css";
import { fetchStatus, fetchStreams, Unreachable } from "./api.ts";
import { byId } from "./dom.ts";
import { cards } from "./list/cards.ts";
import { disconnectDialog } from "./list/disconnect.ts";
import { overview } from "./list/overview.ts";
import { fillPublishing } from "./list/publish.ts";
import { INITIAL, type ListEvent, type ListState, pause, reduce } from "./list/state.ts";
import { poll } from "./poll.ts";

const publishing = byId("publishing", HTMLDetailsElement);
const showOverview = overview();
const showCards = cards(
  byId("streams", HTMLElement),
  disconnectDialog(() => polling.now()),
);
let state: ListState = INITIAL;

fillPublishing(location.hostname);
showOverview(state);
const polling = poll(async () => {
  try {
    const [status, streams] = await Promise.all([fetchStatus(), fetchStreams()]);
    apply({ kind: "answered", at: performance.now(), status, streams });
  } catch (error) {
    apply({ kind: "failed", at: performance.now(), reason: reasonOf(error) });
  }
  return pause(state);
});

/** Shows the state after `event` before it becomes the state: an answer of a strange shape changes nothing. */
function apply(event: ListEvent): void {
  const next = reduce(state, event);
  showCards(next);
  showOverview(next);
  // Open while there is nothing else to see; after that it is the reader's own to open and close.
  const empty = next.streams.length === 0;
  if (event.kind === "answered" && (state.status === null || empty !== (state.streams.length === 0))) {
    publishing.open = empty;
  }
  state = next;
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "no answer in time";
  if (error instanceof Unreachable) return "no connection";
  // Anything else that is thrown over an answer: its shape is not what this page was built for.
  if (error instanceof TypeError) return "its answer is not understood; was it updated? Reload the page";
  return error instanceof Error ? error.message : String(error);
}
