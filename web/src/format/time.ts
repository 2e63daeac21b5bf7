//! Times as the page writes them, in the reader's time zone.

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const minute = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** `17 Mar 2025, 10:00`. */
export const time = (text: string | null | undefined) => (text ? minute.format(new Date(text)) : "–");

/** `17 Mar 2025`. */
export const date = (at: Date) => day.format(at);
