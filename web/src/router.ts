//! Where the page is. Everything a link should carry is in the address; nothing else decides what is shown.

import { createMemo, createRoot, createSignal } from "solid-js";

const [address, setAddress] = createSignal(new URL(location.href));

addEventListener("popstate", () => setAddress(new URL(location.href)));

/** What a link of the page opens. `org` is part of the links that the SDKs print; there is one. */
export type Place =
  | { kind: "projects" }
  | { kind: "sql" }
  | { kind: "project"; project: string }
  | { kind: "settings"; project: string }
  | { kind: "experiment"; project: string; experiment: string }
  | { kind: "dataset"; project: string; dataset: string }
  | { kind: "logs"; project: string }
  | { kind: "object"; type: string; id: string; row: string | null }
  | { kind: "unknown"; path: string };

function read(url: URL): Place {
  const parts = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  if (parts.length === 0) return { kind: "projects" };
  const [app, , first, project, section, name] = parts;
  if (app === "app" && first === undefined) return { kind: "projects" };
  if (app === "app" && first === "sql" && parts.length === 3) return { kind: "sql" };
  if (app === "app" && first === "object" && parts.length === 3) {
    const given = url.searchParams;
    return {
      kind: "object",
      type: given.get("object_type") ?? "",
      id: given.get("object_id") ?? "",
      row: given.get("id"),
    };
  }
  if (app === "app" && first === "p" && project !== undefined) {
    if (parts.length === 4) return { kind: "project", project };
    if (parts.length === 5 && section === "settings") return { kind: "settings", project };
    if (parts.length === 5 && section === "logs") return { kind: "logs", project };
    if (parts.length === 6 && section === "experiments") return { kind: "experiment", project, experiment: name! };
    if (parts.length === 6 && section === "datasets") return { kind: "dataset", project, dataset: name! };
  }
  return { kind: "unknown", path: url.pathname };
}

const samePlace = (a: Place, b: Place) => JSON.stringify(a) === JSON.stringify(b);

/** The place that is open. It changes only when another one opens, not with its parameters. */
export const place = createRoot(() => createMemo(() => read(address()), undefined, { equals: samePlace }));

const ORG = "/app/evalhouse";

/** The paths of the places. */
export const to = {
  projects: () => "/",
  sql: () => `${ORG}/sql`,
  project: (project: string) => `${ORG}/p/${encodeURIComponent(project)}`,
  settings: (project: string) => `${to.project(project)}/settings`,
  experiment: (project: string, experiment: string) =>
    `${to.project(project)}/experiments/${encodeURIComponent(experiment)}`,
};

/** Opens a path of the page. */
export function go(path: string, how: { replace?: boolean } = {}) {
  if (how.replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  setAddress(new URL(location.href));
}

export type Given = Record<string, string | string[] | null | undefined>;

/** A path with parameters; null, undefined and empty lists are left out. */
export function withParameters(path: string, given: Given): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one != null) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** A parameter of the address. */
export const parameter = (name: string): string | null => address().searchParams.get(name);

/** A parameter that may be given several times. */
export const parameters = (name: string): string[] => address().searchParams.getAll(name);

/** Changes parameters and leaves the others; null takes one away. */
export function setParameters(given: Given, how: { replace?: boolean } = {}) {
  const url = new URL(address());
  for (const [name, value] of Object.entries(given)) {
    url.searchParams.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one != null) url.searchParams.append(name, one);
  }
  if (url.href !== address().href) go(url.pathname + url.search, how);
}

/** Follows clicks on links of the page without loading it again. */
export function followLinks(event: MouseEvent) {
  const link = (event.target as Element).closest?.("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.target !== "" || link.hasAttribute("download")) return;
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || (url.pathname !== "/" && !url.pathname.startsWith("/app/"))) return;
  event.preventDefault();
  go(url.pathname + url.search);
}
