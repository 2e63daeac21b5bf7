"""The links that the SDK prints are of the documented form, percent-encoded, and open."""

import braintrust

from support import APP_URL, check_link, get, new_project


def run():
    project = new_project("a b/c?d#e%f ü 🦊")
    experiment = braintrust.init(project, experiment="ex/peri ment?#% ü")
    with experiment.start_span("root", input=1) as span:
        span.log(output=1)
    summary = experiment.summarize()
    check_link(summary.project_url, project)
    check_link(summary.experiment_url, project, "experiments", "ex/peri ment?#% ü")
    permalink = span.permalink()
    assert permalink.startswith(f"{APP_URL}/app/") and f"/object?object_type=experiment&object_id={experiment.id}&id={span.id}" in permalink
    get(permalink)
    get(span.link())

    dataset = braintrust.init_dataset(project, "data/set ü")
    dataset.insert(input=1)
    check_link(dataset.summarize().dataset_url, project, "datasets", "data/set ü")
