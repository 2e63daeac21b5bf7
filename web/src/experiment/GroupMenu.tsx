import { createSignal, For, Show } from "solid-js";
import { parameter, setParameters } from "../router";
import { Menu } from "../ui/Menu";
import { onKey } from "../ui/keys";
import { quoted } from "../format/language";
import { firstOf } from "./groupsOf";
import { type View } from "./view";

export const AGGREGATES = ["avg", "min", "max", "sum", "median", "count", "stddev", "p90"];

/** A field with more values than this makes no useful groups. */
const MOST_VALUES = 1_000;

/** What cases are grouped by, how groups are summed up, and their order. */
export function GroupMenu(props: { view: View }) {
  const [open, setOpen] = createSignal(false);
  onKey("g", "Group", () => setOpen(true));
  const chosen = () => props.view.groupBy();
  const offers = () => {
    const fields = (props.view.fields()?.fields ?? []).filter(
      (field) => field.distinct <= MOST_VALUES && !field.types.includes("object") && !field.path.includes("[*]"),
    );
    return [
      ...new Set([
        ...chosen(),
        ...Object.keys(props.view.settings()?.settings.columns ?? {}).map(quoted),
        ...fields.filter((field) => field.path.startsWith("metadata.")).map((field) => field.path),
        "tags",
        "input",
        ...(props.view.summary()?.dataset == null ? [] : ["origin.object_id"]),
        ...fields.map((field) => field.path),
      ]),
    ];
  };
  const turn = (path: string) =>
    setParameters({
      group: chosen().includes(path) ? chosen().filter((one) => one !== path) : [...chosen(), path],
      layout: null,
    });
  const scores = () => Object.keys(props.view.summary()?.scores ?? {});
  return (
    <Menu label={chosen().length > 0 ? `Group: ${chosen().join(", ")}` : "Group"} open={open()} onOpen={setOpen} right>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const expression = new FormData(event.currentTarget).get("expression");
          if (expression) turn(String(expression));
        }}
      >
        <input
          name="expression"
          class="mono"
          placeholder="An expression, then Enter"
          aria-label="Expression to group by"
        />
      </form>
      <For each={offers()}>
        {(path) => (
          <label>
            <input type="checkbox" checked={chosen().includes(path)} onChange={() => turn(path)} />
            <span class="cut">{path}</span>
          </label>
        )}
      </For>
      <Show when={chosen().length > 0}>
        <h3>Groups show</h3>
        <select
          aria-label="How scores are summed up"
          value={parameter("aggregate") ?? "avg"}
          onChange={(event) => setParameters({ aggregate: event.currentTarget.value })}
        >
          <For each={AGGREGATES}>{(name) => <option value={name}>{name}</option>}</For>
        </select>
        <Show when={props.view.comparing()}>
          <label>
            <input
              type="checkbox"
              checked={parameter("within") !== "off"}
              onChange={(event) => setParameters({ within: event.currentTarget.checked ? null : "off" })}
            />
            Include comparisons in group
          </label>
          <Show when={props.view.sides().length > 1}>
            <h3>Differences against</h3>
            <select
              aria-label="Comparison that differences are against"
              onChange={(event) => setParameters({ first: event.currentTarget.value })}
            >
              <For each={props.view.sides()}>
                {(side) => (
                  <option value={side.id} selected={side === props.view.sideOf(firstOf(props.view))}>
                    {side.experiment}
                  </option>
                )}
              </For>
            </select>
          </Show>
          <h3>Order</h3>
          <select
            aria-label="Order of groups"
            value={parameter("order") ?? ""}
            onChange={(event) => setParameters({ order: event.currentTarget.value || null })}
          >
            <option value="">by value</option>
            <For each={scores()}>
              {(name) => <option value={`regressions:${quoted(name)}`}>regressions of {name}</option>}
            </For>
          </select>
        </Show>
      </Show>
    </Menu>
  );
}
