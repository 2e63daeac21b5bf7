"""Projects are found by name; experiments of the same name get a new one, unless update is asked for."""

import braintrust
from braintrust import Eval

from support import check_experiment, check_rows, new_project, raises, sent_rows


def run():
    project = new_project("näme / of ü? 🦊")
    first = braintrust.init(project, experiment="an experiment")
    again = braintrust.init(project, experiment="an experiment")
    third = braintrust.init(project, experiment="an experiment")
    assert first.name == "an experiment"
    assert len({first.id, again.id, third.id}) == 3 and len({first.name, again.name, third.name}) == 3
    assert again.name.startswith("an experiment-") and third.name.startswith("an experiment-")
    assert first.project.id == again.project.id and first.project.name == project
    named, unnamed = braintrust.init(project), braintrust.init(project)
    assert named.name and unnamed.name and named.name != unnamed.name

    for n, experiment in enumerate([first, again, third]):
        experiment.log(input=n, output=n, scores={"s": 1})
    update = braintrust.init(project, experiment="an experiment", update=True)
    assert update.id == first.id and update.name == first.name
    update.log(input="more", output="more", scores={"s": 0})
    assert len(check_experiment(project, "an experiment")) == 2
    assert len(check_experiment(project, again.name)) == 1
    assert update.summarize().scores["s"].score == 0.5
    made = braintrust.init(project, experiment="made by update", update=True)
    assert made.name == "made by update" and made.id not in (first.id, again.id)

    for trial in range(2):
        Eval(project, data=[{"input": trial}], task=lambda n: n, scores=[], experiment_name="evaluated", update=True)
    assert len(check_experiment(project, "evaluated")) == 4
    one = Eval(project, data=[{"input": 1}], task=lambda n: n, scores=[], experiment_name="evaluated")
    assert one.summary.experiment_name != "evaluated"

    by_id = braintrust.init(project_id=first.project.id, experiment="an experiment", open=True)
    assert by_id.id == first.id
    check_rows(sent_rows(first.id), list(by_id))
    unknown = braintrust.init(project, experiment="nobody knows this", open=True)
    assert "not found" in str(raises(ValueError, lambda: unknown.id))
    unknown = braintrust.init(new_project(), experiment="an experiment", open=True)
    raises(ValueError, lambda: unknown.id)
