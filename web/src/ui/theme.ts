import { createEffect, createRoot } from "solid-js";
import { kept } from "./kept";

type Theme = "system" | "light" | "dark";

const [theme, setTheme] = kept<Theme>("theme", "system");

export { theme };

createRoot(() =>
  createEffect(() => {
    if (theme() === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme();
  }),
);

/** System, light, dark, and round again. */
export const turnTheme = () => setTheme({ system: "light", light: "dark", dark: "system" }[theme()] as Theme);
