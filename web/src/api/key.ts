// The API key, where the server wants one. It is kept in a cookie that goes with no other site's request and
// ends with the browser, so that downloads, which are links, carry it too.

import { createSignal } from "solid-js";

const [wanted, setWanted] = createSignal<string>();

/** Why the server wants a key, or another one. */
export { wanted };

/** Called when the server refused a request for want of a key. */
export const wantKey = (why: string) => setWanted(why);

/** Keeps a key, and loads the page again with it. */
export function keepKey(key: string) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `evalhouse_key=${key.replace(/[^\w-]/g, "")}; Path=/; SameSite=Strict${secure}`;
  location.reload();
}
