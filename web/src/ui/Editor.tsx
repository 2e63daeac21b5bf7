import { autocompletion, acceptCompletion, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { sql, type SQLNamespace } from "@codemirror/lang-sql";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { createEffect, on, onCleanup, onMount } from "solid-js";
import type { Offers } from "../experiment/complete";
import { placeIn } from "./place";
import "./Editor.css";

interface Props {
  label: string;
  text: string;
  placeholder?: string;
  /** Several lines: Enter begins a new one, Ctrl+Enter runs. */
  lines?: boolean;
  schema?: SQLNamespace | undefined;
  enter: (text: string) => void;
  typed?: (text: string) => void;
  /** The server's message; the place that it points at is underlined. */
  error: string | undefined;
  complete?: (before: string) => Offers | Promise<Offers> | undefined;
  ready?: (focus: () => void) => void;
}

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)" },
  { tag: [tags.string, tags.number, tags.bool, tags.null], color: "var(--better)" },
  { tag: tags.comment, color: "var(--text-2)" },
]);

const look = EditorView.theme({
  "&": { fontSize: "12px", backgroundColor: "transparent", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { padding: "3px 0", caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--text-2)" },
  ".cm-tooltip": { backgroundColor: "var(--ground)", border: "1px solid var(--line-strong)", color: "var(--text)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-ground)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--text-2)", fontStyle: "normal" },
  ".cm-completionInfo": { fontFamily: "var(--mono)", overflowWrap: "anywhere" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-ground)",
  },
});

/**
 * Typing over a selection. Left to itself the browser keeps the looks of what is replaced in an inline style, which
 * the policy of the page refuses with a message.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main } = view.state.selection;
    if (event.inputType !== "insertText" || event.data === null || main.empty || view.composing) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

/** An editor of the filter language or SQL, with completion. */
export default function Editor(props: Props) {
  // An element of a template belongs to a document without a window until it is shown; the editor needs one before.
  const host = document.createElement("div");
  host.className = props.lines ? "editor lines" : "editor";
  onMount(() => {
    // In a shadow tree the editor's styles are constructed sheets, which a strict policy allows.
    const root = host.attachShadow({ mode: "open" });
    const language = new Compartment();
    const run = () => {
      props.enter(view.state.doc.toString());
      return true;
    };
    const offer = async (context: CompletionContext) => {
      const before = context.state.sliceDoc(0, context.pos);
      const found = await props.complete?.(before);
      if (!found || (found.from === context.pos && !context.explicit && !found.text)) return null;
      return { from: found.from, options: found.offers, validFor: found.text ? /^[^']*$/ : /^[\w.$"[\]-]*$/ };
    };
    const view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: props.text,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: "Tab", run: acceptCompletion },
              { key: "Mod-Enter", run },
            ]),
          ),
          keymap.of([
            ...completionKeymap,
            ...(props.lines ? [] : [{ key: "Enter", run }]),
            ...historyKeymap,
            ...defaultKeymap,
          ]),
          history(),
          typeOver,
          language.of(sql(props.schema ? { schema: props.schema } : {})),
          autocompletion(props.complete ? { override: [offer] } : {}),
          syntaxHighlighting(colours),
          look,
          placeholder(props.placeholder ?? ""),
          EditorView.contentAttributes.of({ "aria-label": props.label, tabindex: "0" }),
          props.lines
            ? EditorView.lineWrapping
            : EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [] : change)),
          EditorView.updateListener.of((update) => update.docChanged && props.typed?.(update.state.doc.toString())),
        ],
      }),
    });
    onCleanup(() => view.destroy());
    props.ready?.(() => view.focus());
    createEffect(() =>
      view.dispatch({ effects: language.reconfigure(sql(props.schema ? { schema: props.schema } : {})) }),
    );
    createEffect(
      on(
        () => props.text,
        (text) =>
          text !== view.state.doc.toString() &&
          view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
        { defer: true },
      ),
    );
    createEffect(() => {
      const place = props.error === undefined ? undefined : placeIn(props.error, view.state.doc.toString());
      const found: Diagnostic[] = place ? [{ ...place, severity: "error", message: props.error!.split("\n")[0]! }] : [];
      view.dispatch(setDiagnostics(view.state, found));
    });
  });
  return host;
}
