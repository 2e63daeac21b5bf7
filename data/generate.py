#!/usr/bin/env python3
"""Writes the synthetic project `support-assistant`: four eval experiments with planted truths.

    python data/generate.py [--output data/support-assistant] [--check]

Standard library only. Every number comes from a stream seeded with the experiment, case and
trial it belongs to, so the output is the same on every run, and a change to one experiment
leaves the others as they are. (The text is the same everywhere; the bytes of the `.gz` also
depend on the zlib that Python was built with. `--check` compares the text.)

The rows have the shape that the Braintrust SDK logs. One case is one trace:

    eval                  input, expected, output, metadata, tags, origin; never scores
      task
        tool              where the question needs a look-up
        llm               tokens, cost, time to first token
      Factuality          purpose "scorer", a model's judgement in [0, 1]
        llm               the judge's own call: purpose "scorer" too, so its tokens are nobody's cost
      Helpfulness         purpose "scorer", in [0, 1]
      ValidFormat         purpose "scorer", 0 or 1

What is planted, and what an honest comparison says about it, is in `data/README.md`.
"""

import argparse
import gzip
import hashlib
import io
import json
import random
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

SEED = "support-assistant/12"  # chosen among the first 25 so that what is null by design also looks null
PROJECT = "support-assistant"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "evalhouse.invalid")
TRIALS = 2

# --- The cases -------------------------------------------------------------------------------

# category -> (language, question, fact that is right, fact that is wrong, tool, resolution)
TEMPLATES = {
    "billing": [
        ("en", "I was charged ${amount} twice for my {plan} plan in {month}. Can you reverse one of the charges?", "The second ${amount} is a pending authorisation and drops off within 5 business days.", "Both ${amount} charges are final and cannot be reversed.", "lookup_invoice", "explained"),
        ("en", "Why did my {plan} invoice for {month} go up to ${amount}?", "The {month} invoice of ${amount} includes two seats added mid-cycle, pro-rated.", "The {month} invoice of ${amount} reflects a price increase for every customer.", "lookup_invoice", "explained"),
        ("en", "Can I switch the card ending in {card} to bank transfer before the {month} renewal?", "Bank transfer is available on yearly billing and must be set up 7 days before renewal.", "Bank transfer is not offered on any plan.", None, "how_to"),
        ("en", "Our finance team needs the VAT number on the {month} invoice for order {order}. How do we add it?", "Add the VAT number under Billing > Tax details, then reissue the {month} invoice.", "VAT numbers can only be added when the account is created.", None, "how_to"),
        ("en", "My card ending in {card} was declined for the ${amount} {plan} renewal. Will I lose access?", "Access continues for a 10-day grace period while the ${amount} payment is retried.", "Access ends at midnight when a payment is declined.", "lookup_invoice", "explained"),
        ("de", "Warum wurden mir im {month} {amount} Euro für den {plan}-Tarif doppelt berechnet?", "Die zweite Buchung über {amount} Euro ist nur vorgemerkt und verfällt nach 5 Werktagen.", "Beide Buchungen über {amount} Euro sind endgültig.", "lookup_invoice", "explained"),
        ("es", "¿Cómo añado el NIF de la empresa a la factura de {month} del pedido {order}?", "Añada el NIF en Facturación > Datos fiscales y vuelva a emitir la factura de {month}.", "El NIF solo se puede indicar al crear la cuenta.", None, "how_to"),
        ("fr", "Ma carte finissant par {card} a été refusée pour le renouvellement {plan}. Vais-je perdre l'accès ?", "L'accès reste ouvert pendant un délai de grâce de 10 jours.", "L'accès est coupé dès le refus du paiement.", "lookup_invoice", "explained"),
    ],
    "refunds": [
        ("en", "I returned the {product} from order {order} {days} days ago and still have no refund of ${amount}. Where is it?", "Refunds reach the original card within 10 business days of the return being scanned.", "Refunds are paid as store credit within 30 days.", "lookup_order", "refund_pending"),
        ("en", "The {product} I bought {days} days ago does not fit my needs. Can I still get my ${amount} back?", "Unused items can be returned for a full refund within 30 days of delivery.", "Items can only be returned within 14 days of purchase.", "lookup_order", "refund_offered"),
        ("en", "I cancelled my {plan} subscription in {month}. Do I get the unused part of ${amount} refunded?", "Yearly {plan} plans are refunded pro rata; monthly plans run to the end of the period.", "Cancelled subscriptions are never refunded, in part or in full.", "lookup_invoice", "refund_offered"),
        ("en", "My {product} arrived broken (order {order}). I want a refund of ${amount}, not a replacement.", "Damaged items reported within 30 days are refunded in full, shipping included.", "Damaged items can only be replaced, and only within 14 days.", "lookup_order", "refund_offered"),
        ("en", "Order {order} was a gift. Can the refund for the {product} go to the person who bought it?", "A gift is refunded to the buyer's original payment method.", "Gift orders can only be exchanged.", None, "explained"),
        ("de", "Ich habe den Artikel {product} aus Bestellung {order} vor {days} Tagen zurückgeschickt. Wann kommt mein Geld?", "Die Erstattung erfolgt innerhalb von 10 Werktagen nach Eingang der Rücksendung.", "Erstattungen erfolgen nur als Gutschein nach 30 Tagen.", "lookup_order", "refund_pending"),
        ("es", "El {product} del pedido {order} llegó roto. ¿Me devuelven los {amount} euros?", "Los artículos dañados se reembolsan íntegros si se avisa en 30 días.", "Los artículos dañados solo se cambian, y solo en 14 días.", "lookup_order", "refund_offered"),
        ("fr", "J'ai acheté un article ({product}) il y a {days} jours. Puis-je encore être remboursé de {amount} euros ?", "Un article non utilisé est remboursé intégralement sous 30 jours après livraison.", "Le retour n'est possible que 14 jours après l'achat.", "lookup_order", "refund_offered"),
    ],
    "shipping": [
        ("en", "Order {order} has been stuck in {city} for {days} days. When will my {product} arrive?", "The parcel left {city} this morning and is due in 2 business days.", "The parcel was delivered last week.", "track_shipment", "tracked"),
        ("en", "Can I change the delivery address of order {order} to {city}?", "The address can be changed until the parcel is handed to the carrier.", "Addresses cannot be changed once an order is placed.", "track_shipment", "how_to"),
        ("en", "How much is express delivery of one {product} to {city}?", "Express delivery to {city} costs $14.90 and takes 1 to 2 business days.", "Express delivery is free on every order.", None, "explained"),
        ("en", "Tracking says order {order} was delivered, but nothing arrived in {city}. What now?", "We open a carrier investigation and send a new {product} if it is not found in 3 days.", "A parcel marked as delivered is the customer's responsibility.", "track_shipment", "escalated"),
        ("en", "Do you ship the {product} to {city}, and who pays customs?", "We ship there; duties over $150 are shown and paid at checkout.", "We ship there and cover all duties.", None, "explained"),
        ("de", "Bestellung {order} hängt seit {days} Tagen in {city}. Wann kommt sie an?", "Das Paket hat {city} heute verlassen und trifft in 2 Werktagen ein.", "Das Paket wurde letzte Woche zugestellt.", "track_shipment", "tracked"),
        ("es", "¿Puedo cambiar la dirección del pedido {order} a {city}?", "La dirección se puede cambiar hasta que el paquete pase al transportista.", "La dirección no se puede cambiar tras el pedido.", "track_shipment", "how_to"),
        ("fr", "Combien coûte la livraison express à {city} ({product}) ?", "La livraison express coûte 14,90 euros, en 1 à 2 jours ouvrés.", "La livraison express est toujours gratuite.", None, "explained"),
    ],
    "account": [
        ("en", "I no longer have the phone for two-factor login on the account with order {order}. How do I get in?", "Use one of the 8 recovery codes, or verify the e-mail address and the card on file.", "Without the phone the account cannot be recovered.", "get_account", "how_to"),
        ("en", "Please move our {plan} workspace from {city} to a new owner, the old one left in {month}.", "An admin can transfer ownership under Settings > Members; no support ticket is needed.", "Ownership can only be moved by deleting the workspace.", "get_account", "how_to"),
        ("en", "How do I download my data before closing my {plan} account in {month}?", "Export under Settings > Privacy; the archive is ready within 24 hours and kept 7 days.", "Data cannot be exported before an account is closed.", None, "how_to"),
        ("en", "I get 'e-mail already in use' when I sign up in {city} with the address from order {order}.", "The address belongs to a guest account made by order {order}; reset its password to claim it.", "The address is blocked and another one must be used.", "get_account", "explained"),
        ("en", "Can two people share one {plan} seat if they work from {city} at different hours?", "Seats are personal; a {plan} plan can add a seat for part of a month, pro-rated.", "Seats may be shared by any number of people.", None, "explained"),
        ("de", "Wie lade ich meine Daten herunter, bevor ich mein {plan}-Konto im {month} schließe?", "Export unter Einstellungen > Datenschutz; das Archiv ist in 24 Stunden bereit.", "Daten können vor der Schließung nicht exportiert werden.", None, "how_to"),
        ("es", "Perdí el teléfono de la verificación en dos pasos de la cuenta del pedido {order}. ¿Cómo entro?", "Use uno de los 8 códigos de recuperación o verifique el correo y la tarjeta.", "Sin el teléfono no se puede recuperar la cuenta.", "get_account", "how_to"),
        ("fr", "Comment transférer notre espace {plan} de {city} à un autre propriétaire ?", "Un administrateur transfère la propriété dans Paramètres > Membres.", "Il faut supprimer l'espace et le recréer.", "get_account", "how_to"),
    ],
    "technical": [
        ("en", "The app crashes on my {device} whenever I open order {order}. I already reinstalled it.", "Version 4.2.1 fixes the crash on {device}; clear the app cache after updating.", "The {device} is no longer supported.", "search_help_center", "how_to"),
        ("en", "Export to CSV stops after {days} rows in {browser}. Is there a limit?", "There is no row limit; {browser} blocks the download in private windows.", "Exports are limited to {days} rows on every plan.", "search_help_center", "explained"),
        ("en", "Our webhook for {plan} events returns 410 since {month}. What changed?", "Version 1 webhooks were retired in {month}; resubscribe with the v2 URL and new secret.", "410 means that the rate limit was hit.", "search_help_center", "how_to"),
        ("en", "The {product} will not pair with my {device}. The light blinks {days} times and stops.", "Hold the button on the {product} for 8 seconds to reset it, then pair from the {device} app.", "The {product} cannot be paired with any {device}.", "search_help_center", "how_to"),
        ("en", "Notifications arrive {days} hours late on {device}. Which setting is it?", "Turn off battery optimisation for the app on {device}.", "Late notifications come from our servers and cannot be changed.", None, "how_to"),
        ("de", "Die App stürzt auf meinem {device} ab, sobald ich Bestellung {order} öffne.", "Version 4.2.1 behebt den Absturz; danach den App-Cache leeren.", "Das {device} wird nicht mehr unterstützt.", "search_help_center", "how_to"),
        ("es", "La exportación a CSV se detiene tras {days} filas en {browser}. ¿Hay un límite?", "No hay límite; {browser} bloquea la descarga en ventanas privadas.", "La exportación está limitada a {days} filas.", "search_help_center", "explained"),
        ("fr", "L'appareil ({product}) ne se connecte pas à mon {device}, le voyant clignote {days} fois.", "Maintenez le bouton 8 secondes pour réinitialiser, puis associez depuis l'application.", "Cet appareil ne peut pas être associé.", "search_help_center", "how_to"),
    ],
}
CATEGORIES = list(TEMPLATES)
WORDS = {
    "plan": ["Starter", "Team", "Business"],
    "month": ["January", "February", "March", "April", "May"],
    "product": ["desk lamp", "air purifier", "travel kettle", "smart plug", "headset", "webcam"],
    "city": ["Leeds", "Porto", "Graz", "Ghent", "Austin", "Malmö", "Lyon"],
    "device": ["Pixel 8", "Galaxy S23", "iPhone 14", "iPad Air", "ThinkPad X1"],
    "browser": ["Firefox", "Safari", "Chrome", "Edge"],
}
LOCAL_WORDS = {
    "de": {"month": ["Januar", "Februar", "März", "April", "Mai"],
           "product": ["Schreibtischlampe", "Luftreiniger", "Reisekocher", "Smart-Steckdose", "Headset", "Webcam"]},
    "es": {"month": ["enero", "febrero", "marzo", "abril", "mayo"],
           "product": ["flexo", "purificador", "hervidor", "enchufe inteligente", "auricular", "soporte"]},
    "fr": {"month": ["janvier", "février", "mars", "avril", "mai"],
           "product": ["purificateur d'air", "bouilloire de voyage", "casque audio", "webcam"]},
}
OPENINGS = {
    "en": ["Thanks for getting in touch.", "Happy to help.", "I looked into this for you."],
    "de": ["Danke für Ihre Nachricht."],
    "es": ["Gracias por escribirnos."],
    "fr": ["Merci pour votre message."],
}
CLOSINGS = {
    "en": ["Reply here if anything is unclear.", "Is there anything else I can do?", "I have added a note to your account."],
    "de": ["Melden Sie sich gern bei Rückfragen."],
    "es": ["Quedamos a su disposición."],
    "fr": ["N'hésitez pas à nous répondre."],
}
STEPS = {
    "en": "Next steps: 1. Check the details above. 2. Keep your reference at hand. 3. Write back if it takes longer.",
    "de": "Nächste Schritte: 1. Angaben prüfen. 2. Vorgangsnummer bereithalten. 3. Bei Verzug melden.",
    "es": "Siguientes pasos: 1. Revise los datos. 2. Guarde la referencia. 3. Escríbanos si se retrasa.",
    "fr": "Étapes suivantes : 1. Vérifiez les détails. 2. Gardez la référence. 3. Écrivez-nous en cas de retard.",
}

BASELINE_ONLY = 3  # cases of dataset version 1 that version 2 dropped
SHARED = 250  # cases of both versions
ADDED = 4  # cases that version 2 added


def stream(*parts):
    """A random stream that depends on nothing but its name."""
    return random.Random("/".join([SEED, *map(str, parts)]))


def pick(rng, options):
    return options[int(rng.random() * len(options))]


def normal(rng, mean, sd):
    """Mean plus the sum of twelve uniforms: no libm, hence the same bits on every machine."""
    return mean + sd * (sum(rng.random() for _ in range(12)) - 6.0)


def unit(value):
    """A judge's score: inside [0, 1], two decimals."""
    return round(min(1.0, max(0.0, value)), 2)


def build_cases():
    """Every case of both dataset versions, in order."""
    cases = []
    for number in range(1, BASELINE_ONLY + SHARED + ADDED + 1):
        rng = stream("case", number)
        category = CATEGORIES[number % len(CATEGORIES)]
        templates = TEMPLATES[category]
        english = [t for t in templates if t[0] == "en"]
        others = [t for t in templates if t[0] != "en"]
        language, question, right, wrong, tool, resolution = pick(rng, english if rng.random() < 0.7 else others)
        words = {**WORDS, **LOCAL_WORDS.get(language, {})}
        slots = {name: pick(rng, options) for name, options in words.items()}
        slots["order"] = f"SO-{40000 + number * 7 + int(rng.random() * 7)}"
        slots["amount"] = f"{9 + int(rng.random() * 240)}.{pick(rng, ['00', '50', '90', '99'])}"
        slots["card"] = f"{1000 + int(rng.random() * 9000)}"
        slots["days"] = str(3 + int(rng.random() * 25))
        customer = f"C-{10000 + number * 31 + int(rng.random() * 31)}"
        cases.append({
            "number": number,
            "id": f"sa-{number:04d}",
            "category": category,
            "language": language,
            "tier": pick(rng, ["free", "free", "pro", "pro", "enterprise"]),
            "customer": customer,
            "question": question.format(**slots),
            "right": right.format(**slots),
            "wrong": wrong.format(**slots),
            "tool": tool,
            "resolution": resolution,
            "order": slots["order"],
            "shape": pick(rng, ["object"] * 7 + ["messages"] * 2 + ["text"]),
            "factuality": normal(rng, 0.80, 0.09),
            "helpfulness": normal(rng, 0.70, 0.10),
        })
    return cases


def case_input(case, reverse):
    """The input as the evaluation harness wrote it. `prompt-v2` and later wrote the keys the
    other way round, which is no difference to a comparison key."""
    if case["shape"] == "text":
        return f'{case["question"]} (customer {case["customer"]})'
    if case["shape"] == "messages":
        fields = [("messages", [{"role": "user", "content": case["question"]}]), ("customer_id", case["customer"])]
    else:
        fields = [("question", case["question"]), ("customer_id", case["customer"])]
    return dict(reversed(fields)) if reverse else dict(fields)


# --- The experiments -------------------------------------------------------------------------

EXPERIMENTS = {
    "baseline": dict(start="2025-03-03T09:00:00", dataset=1, model="atlas-large-2", prompt="v1", branch="main", verbosity=1.0, pace=1.0),
    "prompt-v2": dict(start="2025-03-17T09:00:00", dataset=2, model="atlas-large-2", prompt="v2", branch="prompt-v2", verbosity=1.2, pace=1.1),
    "cheaper-model": dict(start="2025-03-24T14:00:00", dataset=1, model="atlas-mini-2", prompt="v1", branch="cheaper-model", verbosity=0.9, pace=0.55),
    "prompt-v3": dict(start="2025-04-07T09:00:00", dataset=2, model="atlas-large-2", prompt="v3", branch="prompt-v3", verbosity=1.4, pace=1.2),
}
PRICE = {"atlas-large-2": (2.5e-6, 10e-6), "atlas-mini-2": (0.15e-6, 0.6e-6)}  # $ per token in, out
JUDGE = "atlas-judge-1"


def factuality_effect(experiment, case):
    if experiment == "prompt-v2" and case["category"] == "refunds":
        return -0.22
    if experiment == "cheaper-model" and case["language"] != "en":
        return -0.12
    return 0.0


def helpfulness_effect(experiment, _case):
    return {"prompt-v2": 0.08, "prompt-v3": 0.08}.get(experiment, 0.0)


# Shared cases without an accident, shuffled, are dealt to these patterns in this order:
# (number of cases, ValidFormat of both trials in `baseline`, the same in `prompt-v2`).
FORMAT_DEAL = [
    (10, (0, 0), (1, 1)),
    (4, (1, 1), (0, 0)),
    (3, (0, 1), (1, 1)),
    (2, (1, 1), (1, 0)),
    (5, (0, 0), (0, 0)),
    (4, (0, 1), (0, 1)),
]

# Accidents, by (experiment, case number) -> {trial: what happened}.
ACCIDENTS = {
    ("baseline", 23): {0: "task_error"},
    ("baseline", 112): {1: "task_error"},
    ("baseline", 57): {0: "null:Factuality"},
    ("baseline", 140): {0: "null:Factuality", 1: "null:Factuality"},
    ("baseline", 201): {0: "null:Factuality", 1: "null:Factuality"},
    ("prompt-v2", 31): {0: "task_error", 1: "task_error"},
    ("prompt-v2", 178): {1: "task_error"},
    ("prompt-v2", 64): {0: "null:Factuality"},
    ("prompt-v2", 95): {0: "null:Factuality", 1: "null:Factuality"},
    ("prompt-v2", 201): {0: "null:Factuality", 1: "null:Factuality"},
    ("prompt-v2", 219): {1: "scorer_error:Helpfulness"},
    ("cheaper-model", 8): {0: "task_error"},
    ("cheaper-model", 77): {0: "null:Factuality"},
    ("cheaper-model", 160): {1: "null:Helpfulness"},
    ("prompt-v3", 44): {1: "task_error"},
    ("prompt-v3", 129): {0: "null:Factuality"},
}
TRIAL_COUNTS = {("prompt-v2", 66): 3, ("prompt-v2", 183): 1}  # a rerun, and a run cut short
WITHOUT_CASE_ID = {("prompt-v3", 88, 0), ("prompt-v3", 88, 1)}  # rows whose metadata.case_id is lost


def deal_formats(cases):
    """ValidFormat of `baseline` and `prompt-v2`, case by case: exact counts, not chance."""
    special = {number for _, number in [*ACCIDENTS, *TRIAL_COUNTS]}
    clean = [c["number"] for c in cases if BASELINE_ONLY < c["number"] <= BASELINE_ONLY + SHARED and c["number"] not in special]
    rng = stream("formats")
    order = sorted(clean, key=lambda _: rng.random())
    dealt = {}
    for count, base, candidate in FORMAT_DEAL:
        for number in order[:count]:
            dealt[number] = {"baseline": base, "prompt-v2": candidate}
        order = order[count:]
    return dealt


def scores_of(experiment, case, trial, dealt):
    rng = stream("scores", experiment, case["number"], trial)
    factuality = unit(case["factuality"] + factuality_effect(experiment, case) + normal(rng, 0, 0.07))
    helpfulness = unit(case["helpfulness"] + helpfulness_effect(experiment, case) + normal(rng, 0, 0.08))
    if experiment in ("baseline", "prompt-v2"):
        valid = dealt.get(case["number"], {}).get(experiment, (1, 1, 1))[trial]
    else:
        fragile = stream("fragile", experiment, case["number"]).random() < 0.08
        valid = 0 if rng.random() < (0.7 if fragile else 0.01) else 1
    return {"Factuality": factuality, "Helpfulness": helpfulness, "ValidFormat": valid}


# --- The spans -------------------------------------------------------------------------------


def stable_uuid(*parts):
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


def timestamp(seconds):
    return datetime.fromtimestamp(round(seconds, 3), timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Trace:
    """Collects the spans of one case."""

    def __init__(self, experiment, case, trial, started):
        self.experiment, self.case, self.trial = experiment, case, trial
        self.name = f'{experiment}/{case["number"]}/{trial}'
        self.root = stable_uuid("span", self.name, "root")
        self.transaction = str(1000190000000000000 + int(started) * 1000)
        self.spans = []

    def add(self, role, span_type, start, end, parent=None, label=None, scorer=False, metrics=None, **fields):
        """Appends a span and returns its id; `role` is its name inside the trace."""
        span_id = self.root if role == "root" else stable_uuid("span", self.name, role)
        attributes = {"name": label or role, "type": span_type}
        if scorer:
            attributes["purpose"] = "scorer"
        self.spans.append({
            "id": stable_uuid("row", self.name, role),
            "_xact_id": self.transaction,
            "created": timestamp(start),
            "project_id": stable_uuid("project", PROJECT),
            "experiment_id": stable_uuid("experiment", self.experiment),
            "span_id": span_id,
            "root_span_id": self.root,
            "span_parents": [parent] if parent else None,
            "is_root": parent is None,
            "span_attributes": attributes,
            **{name: value for name, value in fields.items() if value is not None},
            "metrics": {"start": round(start, 3), "end": round(end, 3), **(metrics or {})},
        })
        return span_id


def llm_metrics(rng, model, prompt_tokens, completion_tokens):
    price_in, price_out = PRICE.get(model, (1e-6, 4e-6))
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "tokens": prompt_tokens + completion_tokens,
        "time_to_first_token": round(0.18 + 0.3 * rng.random(), 3),
        "estimated_cost": round(prompt_tokens * price_in + completion_tokens * price_out, 8),
    }


def answer_of(experiment, case, scores, rng):
    """The assistant's reply: an object as asked for, or bare text where ValidFormat is 0."""
    language = case["language"]
    fact = case["right"] if scores["Factuality"] >= 0.62 else case["wrong"]
    parts = [pick(rng, OPENINGS[language]), fact]
    if EXPERIMENTS[experiment]["prompt"] != "v1":
        parts.append(STEPS[language])
    parts.append(pick(rng, CLOSINGS[language]))
    text = " ".join(parts)
    return {"answer": text, "resolution": case["resolution"]} if scores["ValidFormat"] else text


def write_task(trace, start, answer, error):
    """The task span with its tool and model calls; returns when it ended and its output."""
    case, setup = trace.case, EXPERIMENTS[trace.experiment]
    rng = stream("task", trace.name)
    tool_end = start + 0.02
    children = []
    if case["tool"]:
        tool_end += 0.05 + 0.25 * rng.random()
        found = {"customer_id": case["customer"], "found": True}
        if case["tool"] in ("lookup_order", "track_shipment"):
            found["order"] = case["order"]
        children.append(("tool", "tool", start + 0.01, tool_end, dict(label=case["tool"], input={"customer_id": case["customer"]}, output=found)))
    end = tool_end + (0.8 + 1.6 * rng.random()) * setup["pace"]
    prompt_tokens = 380 + len(case["question"]) // 4 + (60 if case["tool"] else 0)
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    completion = int((len(text) / 4 + 30 * rng.random()) * setup["verbosity"])
    llm = dict(label="chat", metadata={"model": setup["model"], "temperature": 0.3})
    if error:
        llm["error"] = error
        llm["metrics"] = {"prompt_tokens": prompt_tokens, "tokens": prompt_tokens}
    else:
        llm["output"] = [{"role": "assistant", "content": text}]
        llm["metrics"] = llm_metrics(rng, setup["model"], prompt_tokens, completion)
    children.append(("llm", "llm", tool_end, end, llm))
    task = trace.add("task", "task", start, end + 0.01, parent=trace.root, input=trace.spans[0]["input"], output=answer, error=error)
    for role, span_type, begin, stop, fields in children:
        trace.add(role, span_type, begin, stop, parent=task, **fields)
    return end + 0.01


def write_scores(trace, start, scores, accident):
    """One span a scorer, and the judge's own model call beneath Factuality."""
    rng = stream("judge", trace.name)
    for name, value in scores.items():
        end = start + (0.4 + 0.6 * rng.random() if name == "Factuality" else 0.002)
        fields = dict(output={"score": value}, scores={name: value})
        if accident == f"null:{name}":
            fields = dict(output={"score": None}, scores={name: None}, metadata={"reason": "no verdict in the judge's reply"})
        elif accident == f"scorer_error:{name}":
            fields = dict(error="TimeoutError: the scorer did not answer in 30 s")
        elif name == "Factuality":
            fields["metadata"] = {"rationale": "agrees with the reference" if value >= 0.62 else "contradicts the reference"}
        span = trace.add(name, "score", start, end, parent=trace.root, scorer=True, **fields)
        if name == "Factuality":
            metrics = llm_metrics(rng, JUDGE, 520 + int(80 * rng.random()), 40 + int(30 * rng.random()))
            trace.add("judge", "llm", start + 0.001, end - 0.001, parent=span, label="judge", scorer=True, metadata={"model": JUDGE}, metrics=metrics)
        start = end
    return start


def write_trace(experiment, case, trial, started, dealt):
    """All spans of one case, root first."""
    setup = EXPERIMENTS[experiment]
    accident = ACCIDENTS.get((experiment, case["number"]), {}).get(trial)
    scores = scores_of(experiment, case, trial, dealt)
    error = "RateLimitError: 429 from the model endpoint after 3 tries" if accident == "task_error" else None
    answer = None if error else answer_of(experiment, case, scores, stream("answer", experiment, case["number"], trial))
    metadata = {
        "case_id": case["id"], "category": case["category"], "language": case["language"], "tier": case["tier"],
        "model": setup["model"], "prompt_version": setup["prompt"],
    }
    if (experiment, case["number"], trial) in WITHOUT_CASE_ID:
        del metadata["case_id"]
    if accident and accident.startswith("scorer_error:"):
        metadata["scorer_errors"] = {accident.split(":")[1]: "TimeoutError: the scorer did not answer in 30 s"}
    trace = Trace(experiment, case, trial, started)
    trace.add(
        "root", "eval", started, started, label="eval",
        input=case_input(case, reverse=setup["dataset"] == 2), expected=case["right"], output=answer, error=error,
        metadata=metadata, tags=[case["category"]] + (["priority"] if case["tier"] == "enterprise" else []),
        origin={"object_type": "dataset", "object_id": stable_uuid("dataset", PROJECT), "id": case["id"], "_xact_id": f'100018900000000000{setup["dataset"]}'},
    )
    end = write_task(trace, started + 0.001, answer, error)
    if not error:
        end = write_scores(trace, end, scores, accident)
    trace.spans[0]["metrics"]["end"] = round(end + 0.001, 3)
    return trace.spans


def build_experiment(experiment, cases, dealt):
    """The spans of an experiment in the order in which they were logged."""
    setup = EXPERIMENTS[experiment]
    clock = datetime.fromisoformat(setup["start"]).replace(tzinfo=timezone.utc).timestamp()
    first, last = (1, BASELINE_ONLY + SHARED) if setup["dataset"] == 1 else (BASELINE_ONLY + 1, len(cases))
    spans = []
    for case in cases[first - 1:last]:
        for trial in range(TRIAL_COUNTS.get((experiment, case["number"]), TRIALS)):
            spans += write_trace(experiment, case, trial, clock, dealt)
            clock += 0.35 + round(0.3 * stream("clock", experiment, case["number"], trial).random(), 3)
    return spans


def to_text(spans):
    return "".join(json.dumps(span, ensure_ascii=False, separators=(",", ":")) + "\n" for span in spans).encode()


def compress(text):
    """gzip without a name or a time in its header."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text)
    return buffer.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / PROJECT)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file's text differs")
    options = parser.parse_args()
    cases = build_cases()
    dealt = deal_formats(cases)
    inputs = {json.dumps(case_input(case, False), sort_keys=True) for case in cases}
    assert len(inputs) == len(cases), "two cases have the same input"
    options.output.mkdir(parents=True, exist_ok=True)
    for experiment in EXPERIMENTS:
        spans = build_experiment(experiment, cases, dealt)
        text = to_text(spans)
        path = options.output / f"{experiment}.jsonl.gz"
        if options.check:
            if gzip.decompress(path.read_bytes()) != text:
                sys.exit(f"{path.name} is not what this script writes")
        else:
            path.write_bytes(compress(text))
        roots = [span for span in spans if span["is_root"]]
        numbers = {span["origin"]["id"] for span in roots}
        digest = hashlib.sha256(text).hexdigest()[:16]
        print(f"{path.name}: {len(roots)} rows, {len(numbers)} cases, {len(spans)} spans, {path.stat().st_size} bytes, sha256 of the text {digest}…")


if __name__ == "__main__":
    main()
