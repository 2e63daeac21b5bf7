import { createEffect } from "solid-js";
import { answer, get } from "./api/client";
import { go, to, withParameters } from "./router";
import { Trouble } from "./ui/Trouble";

interface Named {
  name: string;
  project_id: string;
}

/** A link of the SDKs that knows a row by its ids: goes to where it is. */
export function ObjectPage(props: { type: string; id: string; row: string | null }) {
  const path = answer(
    () => ({ type: props.type, id: props.id, row: props.row }),
    async ({ type, id, row }, signal) => {
      const projectName = async (project: string) =>
        (await get<Named>(`/v1/project/${encodeURIComponent(project)}`, {}, signal)).name;
      if (type === "project_logs") return `${to.project(await projectName(id))}/logs`;
      const object = await get<Named>(
        `/v1/${type === "dataset" ? "dataset" : "experiment"}/${encodeURIComponent(id)}`,
        {},
        signal,
      );
      const project = await projectName(object.project_id);
      if (type === "dataset") return `${to.project(project)}/datasets/${encodeURIComponent(object.name)}`;
      return withParameters(to.experiment(project, object.name), { case: row });
    },
  );
  createEffect(() => {
    const found = path();
    if (found) go(found, { replace: true });
  });
  return <Trouble error={path.error} again={path.again} />;
}
