// The question before a publisher is disconnected, and what came of it.

import { disconnectPublisher, type Stream } from "../api.ts";
import { byId, setText } from "../dom.ts";

/** Wires the page's dialog; gives the function that asks. `changed` is called after a publisher was disconnected. */
export function disconnectDialog(changed: () => void): (stream: Stream) => void {
  const dialog = byId("disconnect", HTMLDialogElement);
  const question = byId("disconnect-question", HTMLElement);
  const failure = byId("disconnect-failure", HTMLElement);
  const cancel = byId("disconnect-cancel", HTMLButtonElement);
  const confirm = byId("disconnect-confirm", HTMLButtonElement);
  let asked: Stream | null = null;

  cancel.addEventListener("click", () => dialog.close());
  confirm.addEventListener("click", async () => {
    const stream = asked;
    if (stream === null) return;
    confirm.disabled = true;
    try {
      await disconnectPublisher(stream);
      if (asked === stream) dialog.close();
      changed();
    } catch (error) {
      setText(failure, `Not disconnected: ${error instanceof Error ? error.message : error}`);
    } finally {
      confirm.disabled = false;
    }
  });

  return (stream) => {
    asked = stream;
    setText(question, `${stream.app} / ${stream.name}, ${stream.publisher?.address ?? ""}`);
    setText(failure, "");
    dialog.showModal();
  };
}
