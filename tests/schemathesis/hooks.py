"""The credential of each call (contract, section 2.2), and calls about records that exist."""

import hashlib
import hmac
import json
import os
import random
import time
from pathlib import Path

import schemathesis
from requests.auth import AuthBase
from schemathesis import GenerationMode

TOKEN = os.environ["CK_INTEGRATION_TOKEN"].encode()


def latin(value):
    return value if isinstance(value, bytes) else value.encode("latin-1")


class Signature(AuthBase):
    def __call__(self, request):
        timestamp = str(int(time.time()))
        parts = [
            b"v1",
            timestamp.encode(),
            request.method.encode(),
            request.path_url.encode(),
            latin(request.headers.get("x-churnkey-mode", "live")),
            request.body.encode() if isinstance(request.body, str) else request.body or b"",
        ]
        signature = hmac.new(TOKEN, b"\n".join(parts), hashlib.sha256).hexdigest()
        request.headers["X-Churnkey-Timestamp"] = timestamp
        request.headers["X-Churnkey-Signature"] = f"v1={signature}"
        return request


class Token(AuthBase):
    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {TOKEN.decode()}"
        return request


schemathesis.auth.set_from_requests(Signature() if os.environ["PROOF"] == "signed" else Token())


DEMO = Path(__file__).parents[2] / "examples" / "demo-billing.json"
LIVE = json.loads(DEMO.read_text())["live"]
# The others can still be paused after these were canceled.
TO_CANCEL = ["sub_linus_paused", "sub_zoe_gone"]
# Not that of the module, which Hypothesis resets for each case.
DRAW = random.Random(0)


@schemathesis.hook
def map_case(context, case):
    """Half of what is valid is about records of the demo data: what is made up finds nothing."""
    is_valid = case.meta and case.meta.generation.mode is GenerationMode.POSITIVE
    # The other phases look for edges and for links, and need their own values.
    if is_valid and case.meta.phase.name.name == "FUZZING" and DRAW.random() < 0.5:
        name_records(case)
    return case


def name_records(case):
    subscriptions = LIVE["subscriptions"]
    if case.path.endswith("/cancel"):
        subscriptions = [one for one in subscriptions if one["id"] in TO_CANCEL]
    subscription = DRAW.choice(subscriptions)
    customer = DRAW.choice(LIVE["customers"])
    _, resource, *_ = case.path.split("/")
    known = {"customerId": subscription["customerId"], "subscriptionId": subscription["id"]}
    for names in (["coupon", "couponId"], ["price", "priceId", "id"]):
        for name in names:
            known[name] = DRAW.choice(LIVE[f"{names[0]}s"])["id"]
    if isinstance(case.body, dict):
        case.body.update({name: known[name] for name in case.body.keys() & known.keys()})
    parameters = case.path_parameters
    if parameters:
        here = {"email": customer.get("email"), "phone": customer.get("phone")}
        here["customerId"] = subscription["customerId"]
        here["id"] = subscription["id"] if "customerId" in parameters else DRAW.choice(LIVE[resource])["id"]
        parameters.update({name: here[name] for name in parameters if here[name]})
    # They are there in live mode, and a key that was used is a 422.
    for name in ("x-churnkey-mode", "idempotency-key"):
        case.headers.pop(name, None)
