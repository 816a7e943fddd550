// In which of its forms a presentation is there.

import type { Form } from "../paths.ts";
import type { Presence } from "./probe.ts";

/** What was found, and in which form. */
export interface Found {
  form: Form;
  presence: Presence;
}

/**
 * Looks for a presentation in the `wanted` form, and in the classic one if the gateway says that there is no other:
 * low latency can be switched off. `look` looks for one form.
 */
export async function find(wanted: Form, look: (form: Form) => Promise<Presence>): Promise<Found> {
  const presence = await look(wanted);
  if (wanted === "classic" || presence !== "missing") return { form: wanted, presence };
  const classic = await look("classic");
  if (classic === "missing" || classic === "absent") return { form: wanted, presence };
  // An answer is held back until there is something: it may all have begun since.
  const again = await look(wanted);
  return again === "missing" ? { form: "classic", presence: classic } : { form: wanted, presence: again };
}
