import { createMemo, Match, Switch, type JSX } from "solid-js";
import { Some } from "../ui/Some";

/**
 * The plain part of Markdown: headings, lists, code, emphasis. It makes elements of text and never HTML; links and
 * images stay as they are written, as a page of model output must load nothing.
 */
export function Markdown(props: { text: string }) {
  const all = createMemo(() => blocks(props.text));
  return (
    <div class="markdown" dir="auto">
      <Some each={all()}>
        {(block) => (
          <Switch fallback={<p>{inline(block.text)}</p>}>
            <Match when={block.kind === "code"}>
              <pre class="text">{block.text}</pre>
            </Match>
            <Match when={block.kind === "heading"}>
              <p class="heading-like">{inline(block.text)}</p>
            </Match>
            <Match when={block.kind === "item"}>
              <p class="item">{inline(block.text)}</p>
            </Match>
          </Switch>
        )}
      </Some>
    </div>
  );
}

interface Block {
  kind: "code" | "heading" | "item" | "text";
  text: string;
}

function blocks(text: string): Block[] {
  const found: Block[] = [];
  let code: string[] | undefined;
  let prose: string[] = [];
  const close = () => {
    if (prose.length > 0) found.push({ kind: "text", text: prose.join("\n") });
    prose = [];
  };
  for (const line of text.split("\n")) {
    if (/^\s*```/.test(line)) {
      close();
      if (code) found.push({ kind: "code", text: code.join("\n") });
      code = code ? undefined : [];
    } else if (code) {
      code.push(line);
    } else if (/^#{1,6}\s/.test(line)) {
      close();
      found.push({ kind: "heading", text: line.replace(/^#+\s+/, "") });
    } else if (/^\s*([-*+]|\d+[.)])\s/.test(line)) {
      close();
      found.push({ kind: "item", text: line });
    } else if (line.trim() === "") {
      close();
    } else {
      prose.push(line);
    }
  }
  close();
  if (code) found.push({ kind: "code", text: code.join("\n") });
  return found;
}

function inline(text: string): JSX.Element[] {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/).map((part) => {
    if (part.startsWith("`") && part.length > 2) return <code>{part.slice(1, -1)}</code>;
    if (part.startsWith("**") && part.length > 4) return <strong>{part.slice(2, -2)}</strong>;
    return part;
  });
}
