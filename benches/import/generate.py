"""A made-up log of Inspect AI, written by the tool's own writer.

One sample is run for real, with a mocked model, so that the log has every event that the tool writes. Each further
sample is this one with other texts, ids and times, checked by the tool's own classes and handed to its recorder.
"""

import asyncio
import datetime
import json
import random
import tempfile
from pathlib import Path

import tiktoken


class Words:
    """Counts words for tokens, so that no encoding has to be downloaded."""

    def encode(self, text, **_):
        return text.split()


tiktoken.get_encoding = tiktoken.encoding_for_model = lambda _: Words()

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalDataset, EvalMetric, EvalResults, EvalSample, EvalScore, EvalStats, read_eval_log
from inspect_ai.log._condense import condense_sample
from inspect_ai.log._recorders.eval import EvalRecorder
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import accuracy, includes, scorer, mean, Score
from inspect_ai.solver import generate, system_message

QUESTION, ANSWER, TARGET, TOPIC = "QUESTION-TEXT", "ANSWER-TEXT", "TARGET-TEXT", "TOPIC-TEXT"
FLUSH_SAMPLES = 1_000


@scorer(metrics=[mean()])
def brevity():
    async def score(state, target):
        return Score(value=0.5, answer=state.output.completion, explanation="shorter is better")

    return score


def template():
    """One sample as the tool has run it, and the header of its log."""
    sample = Sample(id="sample-id", input=QUESTION, target=TARGET, metadata={"topic": TOPIC, "level": 1})
    task = Task(dataset=[sample], solver=[system_message("Answer in one paragraph."), generate()],
                scorer=[includes(), brevity()], name="made_up")
    model = get_model("mockllm/model", custom_outputs=[ModelOutput.from_content("mockllm/model", ANSWER)])
    with tempfile.TemporaryDirectory() as folder:
        [log] = eval(task, model=model, log_dir=folder, log_format="eval", display="none")
        return read_eval_log(log.location, resolve_attachments=True)


class Texts:
    """Sentences of made-up words, as unlike each other as prose is."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        letters, vowels = "bcdfghjklmnprstvwz", "aeiou"
        syllables = [a + b for a in letters for b in vowels]
        self.words = ["".join(self.random.choices(syllables, k=self.random.choice((1, 2, 2, 3)))) for _ in range(8_000)]

    def of(self, length):
        return " ".join(self.random.choices(self.words, k=length))


def write(path, samples, words, seed=1):
    """Writes a log of so many samples, each with a question and an answer of so many words."""
    log = template()
    [sample] = log.samples
    pattern = sample.model_dump_json()
    ids = sorted(set(id for id in all_ids(json.loads(pattern))), key=len, reverse=True)
    texts = Texts(seed)
    passed = 0

    async def record():
        nonlocal passed
        recorder = EvalRecorder(str(Path(path).parent))
        spec = log.eval.model_copy(update={"dataset": EvalDataset(name="made-up", samples=samples, shuffled=False)})
        await recorder.log_init(spec, str(path), clean=True)
        await recorder.log_start(spec, log.plan)
        zip_file = recorder.data[recorder._log_file_key(spec)]
        for number in range(samples):
            is_right = texts.random.random() < 0.7
            brevity_value = texts.random.randint(0, 100) / 100
            passed += is_right
            text = pattern.replace(QUESTION, texts.of(words)).replace(ANSWER, texts.of(words))
            text = text.replace(TARGET, texts.of(2)).replace(TOPIC, f"topic-{number % 20}")
            for id in ids:
                text = text.replace(id, fresh(id, texts.random))
            one = json.loads(text)
            one["id"] = f"sample-{number:06}"
            one["metadata"]["level"] = number % 5
            one["scores"]["includes"]["value"] = "C" if is_right else "I"
            one["scores"]["brevity"]["value"] = brevity_value
            await recorder.log_sample(spec, condense_sample(EvalSample.model_validate(one)))
            if number % FLUSH_SAMPLES == FLUSH_SAMPLES - 1:
                # Into the archive, without a copy of all of it to the disk as `flush` makes.
                await zip_file.write_buffered_samples()
        score = EvalScore(name="includes", scorer="includes", metrics={"accuracy": EvalMetric(name="accuracy", value=passed / samples)})
        results = EvalResults(total_samples=samples, completed_samples=samples, scores=[score])
        await recorder.log_finish(spec, "success", log.stats or EvalStats(), results, None, header_only=True)

    asyncio.run(record())


def all_ids(value):
    """The ids that the tool makes anew for each sample: of messages, events and spans."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("id", "uuid", "span_id", "message_id") and isinstance(inner, str) and len(inner) >= 16:
                yield inner
            yield from all_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from all_ids(inner)


def fresh(id, source):
    """Another id of the same kind."""
    alphabet = "0123456789abcdef" if set(id) <= set("0123456789abcdef-") else "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
    return "".join(letter if letter == "-" else source.choice(alphabet) for letter in id)
