// The links that the SDK prints are of the documented form, percent-encoded, and open.

import assert from "node:assert";
import { initDataset, initExperiment } from "braintrust";
import { APP_URL, checkLink, get, newProject } from "../support.mjs";

export async function run() {
  const project = newProject("a b/c?d#e%f ü 🦊");
  const experiment = initExperiment(project, { experiment: "ex/peri ment?#% ü" });
  const span = experiment.startSpan({ name: "root", event: { input: 1, output: 1 } });
  span.end();
  const summary = await experiment.summarize();
  await checkLink(summary.projectUrl, project);
  await checkLink(summary.experimentUrl, project, "experiments", "ex/peri ment?#% ü");
  const permalink = await span.permalink();
  const tail = `/object?object_type=experiment&object_id=${await experiment.id}&id=${span.id}`;
  assert(permalink.startsWith(`${APP_URL}/app/`) && permalink.endsWith(tail), permalink);
  await get(permalink);
  await get(span.link());

  const dataset = initDataset(project, { dataset: "data/set ü" });
  dataset.insert({ input: 1 });
  await checkLink((await dataset.summarize()).datasetUrl, project, "datasets", "data/set ü");
}
