// Copy buttons.

import { el } from "./dom.ts";

/** How long a button says that it has copied, in milliseconds: long enough to be read and read out. */
const SAID_FOR_MS = 2_000;

/** A button that copies what `text` gives when it is pressed. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const words = el("span", { "aria-live": "polite" }, label);
  const button = el("button", { type: "button", class: "button" }, words);
  let timer = 0;
  button.addEventListener("click", async () => {
    const done = await copy(text());
    words.textContent = done ? "Copied" : "Copying failed";
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      words.textContent = label;
    }, SAID_FOR_MS);
  });
  return button;
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** For plain http on any host but localhost, where browsers keep `navigator.clipboard` to themselves. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = el("textarea", { class: "off-screen", readonly: "", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}
