import { createSignal } from "solid-js";
import { changeSettings } from "../api/settings";
import { quoted } from "../format/language";
import { setParameters } from "../router";
import { say } from "../ui/copy";
import { Dialog } from "../ui/Dialog";
import { createSent } from "../ui/sent";
import { Some } from "../ui/Some";
import { createExpression, ExpressionField } from "./Expression";
import { type View } from "./view";

const SHOWN = 8;
const OFFERED = 24;

/** A column made of an expression, with what it gives for the first cases; it is saved to the project. */
export default function NewColumn(props: { view: View; close: () => void }) {
  const [name, setName] = createSignal("");
  const expression = createExpression({
    view: props.view,
    beside: ["input"],
    where: props.view.where,
    against: () => props.view.bases()[0],
    limit: SHOWN,
  });
  const fields = () => (props.view.fields()?.fields ?? []).filter((field) => !field.path.includes("[*]"));
  const choose = (path: string) => {
    expression.put(path);
    if (name() === "" || fields().some((field) => name() === lastOf(field.path))) setName(lastOf(path));
  };
  const show = (column: string) => {
    const shown = (props.view.cases()?.columns ?? []).map((one) => one.name);
    setParameters({ columns: [...shown, column].join(",") });
    props.close();
  };
  const saved = createSent(async () => {
    await changeSettings(props.view.project, { set: { [`columns.${name().trim()}`]: expression.tried() } });
    say(`Saved the column ${name().trim()} to the project`);
    props.view.settings.again();
    show(quoted(name().trim()));
  });
  return (
    <Dialog title="New column" close={props.close} wide>
      <form class="form" onSubmit={saved.send}>
        <label>
          Name
          <input
            name="name"
            autofocus
            required
            placeholder="question"
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <div class="wide offers" role="group" aria-label="What the cases have">
          <Some each={fields()} step={OFFERED}>
            {(field) => (
              <button
                type="button"
                class="lined mono"
                title={field.example ?? ""}
                aria-pressed={expression.text() === field.path}
                onClick={() => choose(field.path)}
              >
                {field.path} <span class="quiet">{Math.round(100 * field.presence)} %</span>
              </button>
            )}
          </Some>
        </div>
        <div class="wide">
          <span>Expression</span>
          <ExpressionField
            of={expression}
            label="Expression of the column"
            placeholder="input.question"
            title={name() || expression.text()}
            table="What the column would show"
            error={saved.error()}
          />
        </div>
        <div class="row">
          <button class="main" disabled={name().trim() === "" || !expression.works() || saved.sending()}>
            Save to the project
          </button>
          <button type="button" class="lined" disabled={!expression.works()} onClick={() => show(expression.tried())}>
            Only show it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What a path would be called: `category` for `metadata.category`. */
const lastOf = (path: string) => /"([^"]+)"$|([^.\]]+)\]?$/.exec(path)?.slice(1).find(Boolean) ?? path;
