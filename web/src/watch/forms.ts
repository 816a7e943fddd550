// The switch between the forms of a presentation: links, so that a choice can be bookmarked and sent on.

import { byId, el } from "../dom.ts";
import { type Form, formQuery } from "../paths.ts";

const LABELS: readonly [Form, string][] = [
  ["low-latency", "Low latency"],
  ["classic", "Classic"],
];

/** Fills the page's switch; gives what marks the form that plays, which need not be the one asked for. */
export function formSwitch(): (playing: Form) => void {
  const links = LABELS.map(([form, label]) => {
    const link = el("a", { class: "button", href: location.pathname + formQuery(form) }, label);
    return [form, link] as const;
  });
  byId("forms", HTMLElement).append(...links.map(([, link]) => link));
  return (playing) => {
    for (const [form, link] of links) {
      if (form === playing) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
}
