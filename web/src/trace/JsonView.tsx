import { createSignal, For, Show } from "solid-js";
import { count } from "../format/number";
import { preview } from "../format/value";
import { Text } from "./Text";

/** Elements of a list or object that are shown at once. */
const STEP = 200;
const OPEN_DEPTH = 2;

/** A JSON value; lists and objects fold. */
export function JsonView(props: { value: unknown }) {
  return (
    <div class="json">
      <Show when={typeof props.value !== "string"} fallback={<Text text={props.value as string} />}>
        <Node value={props.value} depth={0} />
      </Show>
    </div>
  );
}

function Node(props: { name?: string; value: unknown; depth: number }) {
  const isTree = () => typeof props.value === "object" && props.value !== null;
  return (
    <Show
      when={isTree()}
      fallback={
        <div class="leaf">
          <Name of={props.name} />
          <Leaf value={props.value} />
        </div>
      }
    >
      <Tree name={props.name} value={props.value as object} depth={props.depth} />
    </Show>
  );
}

function Tree(props: { name: string | undefined; value: object; depth: number }) {
  const entries = () => Object.entries(props.value);
  const [open, setOpen] = createSignal(props.depth < OPEN_DEPTH && entries().length <= STEP);
  const [shown, setShown] = createSignal(STEP);
  const size = () => (Array.isArray(props.value) ? `[${count(entries().length)}]` : `{${count(entries().length)}}`);
  return (
    <div>
      <button class="fold" aria-expanded={open()} onClick={() => setOpen(!open())}>
        <span aria-hidden="true">{open() ? "▾" : "▸"}</span> <Name of={props.name} />{" "}
        <span class="quiet">{size()}</span>
        <Show when={!open()}>
          <span class="quiet cut">{preview(props.value, 80)}</span>
        </Show>
      </button>
      <Show when={open()}>
        <div class="branch">
          <For each={entries().slice(0, shown())}>
            {([name, value]) => <Node name={name} value={value} depth={props.depth + 1} />}
          </For>
          <Show when={entries().length > shown()}>
            <button class="lined" onClick={() => setShown(shown() + STEP * 5)}>
              {count(shown())} of {count(entries().length)}: more
            </button>
          </Show>
        </div>
      </Show>
    </div>
  );
}

function Name(props: { of: string | undefined }) {
  return <Show when={props.of !== undefined}>{<span class="name">{props.of}: </span>}</Show>;
}

function Leaf(props: { value: unknown }) {
  return (
    <Show
      when={typeof props.value === "string"}
      fallback={<span class="constant">{JSON.stringify(props.value ?? null)}</span>}
    >
      <Text text={props.value as string} />
    </Show>
  );
}
