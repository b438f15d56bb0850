"""An integration that shares no code with this repository's library: written from docs/contract.md, with FastAPI.

    CK_INTEGRATION_TOKEN=.. /usr/bin/python3 tests/foreign/merchant.py [FAULT]

It listens on a free port of the loopback address and prints its URL. FAULT is one of ten mistakes that merchants make: the
names that `is_broken` is called with. Everything is kept in memory, and no record is ever deleted.
"""

import hashlib
import hmac
import json
import os
import re
import socket
import sys
import time
import traceback
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote_plus

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

TOKEN = os.environ["CK_INTEGRATION_TOKEN"].encode()
FAULT = sys.argv[1] if len(sys.argv) > 1 else None


def is_broken(fault):
    return fault == FAULT


# The records.


def now():
    return datetime.now(timezone.utc)


def written(moment):
    text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text if is_broken("times-without-offset") else text + "Z"


def price(id, cents, unit="month"):
    amount = cents / 100 if is_broken("amounts-as-floats") else cents
    return {"id": id, "type": "standalone", "duration": {"amount": 1, "unit": unit}, "name": id.title(),
            "amount": {"model": "fixed", "currency": "eur", "unit": amount}}


def coupon(id, percent, expires=None):
    record = {"id": id, "duration": {"type": "forever"}, "value": {"type": "percentage", "percent": percent}}
    return record | ({"expiresAt": written(expires)} if expires else {})


def subscription(id, customer, price):
    start = now() - timedelta(days=10)
    period = {"start": written(start), "end": written(start + timedelta(days=30))}
    return {"id": id, "customerId": customer, "status": {"name": "active", "currentPeriod": period},
            "start": written(start), "duration": price["duration"], "discounts": [],
            "items": [{"id": "item_" + id, "price": price, "quantity": 1}]}


class Shop:
    def __init__(self, customers, prices, coupons, subscriptions):
        self.customers, self.prices, self.coupons, self.subscriptions = (
            {record["id"]: record for record in records} for records in (customers, prices, coupons, subscriptions))
        self.done = {}  # what each Idempotency-Key was used for


TEAM, YEAR = price("price_team", 2900), price("price_year", 29900, "year")
LIVE = Shop(
    [{"id": "cus_anna", "name": "Anna", "email": "Anna.Berg@example.com", "phone": "+46 70 123 45 67"},
     {"id": "cus_bo", "name": "Bo", "email": "bo+billing@example.com", "phone": "+46701112233"},
     {"id": "cus_cleo", "email": "office@example.com", "addresses": [{"country": "SE", "city": "Lund"}]},
     {"id": "cus_dag", "email": "Office@example.com", "currency": "eur", "metadata": {"seats": "4"}},
     {"id": "cus_eva", "name": "Eva", "phone": "+4915901234567"}],
    [TEAM, YEAR, price("price_solo", 900)],
    [coupon("coupon_stay", 20), coupon("coupon_spring", 10, now() - timedelta(days=200))],
    [subscription("sub_anna_team", "cus_anna", TEAM), subscription("sub_anna_year", "cus_anna", YEAR),
     subscription("sub_bo_team", "cus_bo", TEAM), subscription("sub_bo_year", "cus_bo", YEAR)])
TEST = Shop([{"id": "cus_test", "email": "test@example.com"}], [price("price_test", 100)], [coupon("coupon_test", 5)], [])


# Every request: who sends it, and for which mode (contract, sections 2.2 and 2.4).


async def is_signed(request, mode):
    stamp, query = request.headers.get("x-churnkey-timestamp", ""), request.scope["query_string"]
    if not re.fullmatch("[0-9]{1,12}", stamp):
        return False
    if abs(time.time() - int(stamp)) > 300 and not is_broken("old-signatures-are-accepted"):
        return False
    path = request.scope["raw_path"] + (b"?" + query if query else b"")
    parts = [b"v1", stamp.encode(), request.method.encode(), path, mode.encode(), await request.body()]
    own = b"v1=" + hmac.new(TOKEN, b"\n".join(parts), hashlib.sha256).hexdigest().encode()
    sent = request.headers["x-churnkey-signature"].encode("latin-1").split(b",")[:8]
    return any([hmac.compare_digest(own, one.strip()) for one in sent])


async def authenticated(request: Request):
    mode = request.headers.get("x-churnkey-mode", "live")
    if "x-churnkey-signature" in request.headers:
        is_known = await is_signed(request, mode)
    else:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        is_known = hmac.compare_digest(TOKEN, sent.encode("latin-1"))
    if not is_known:
        raise HTTPException(401)
    if mode not in ("live", "test"):
        raise HTTPException(400, "X-Churnkey-Mode must be live or test")
    request.state.shop = LIVE if mode == "live" else TEST


app = FastAPI(openapi_url=None, dependencies=[Depends(authenticated)])


@app.exception_handler(HTTPException)
async def error(request: Request, error: HTTPException):
    return JSONResponse({"code": error.status_code, "message": error.detail}, error.status_code)


# Records and pages (contract, sections 2.5 and 4).


def one(records, id, what):
    try:
        return records[id]
    except KeyError:
        trace = traceback.format_exc() if is_broken("stack-traces-in-errors") else None
        raise HTTPException(404, trace or f"{what} not found")


def page(request, records):
    limit, cursor = request.query_params.get("limit", "100"), request.query_params.get("cursor")
    if not re.fullmatch("[0-9]+", limit) or int(limit) == 0:
        raise HTTPException(400, "limit must be a positive integer")
    if cursor is not None and cursor not in {record["id"] for record in records}:
        raise HTTPException(400, "cursor must be the next of the page before")
    rest = sorted((record for record in records if record["id"] > (cursor or "")), key=lambda record: record["id"])
    data = rest[:min(int(limit), 500)]
    if len(data) == len(rest) and not (is_broken("next-on-the-last-page") and data):
        return {"data": data}
    after = rest[len(data)] if is_broken("pages-drop-a-record") else data[-1]
    return {"data": data, "next": after["id"]}


def find(request, is_it):
    found = [customer for customer in request.state.shop.customers.values() if is_it(customer)]
    if len(found) > 1:
        raise HTTPException(409, "Several customers have it")
    return found[0] if found else one({}, None, "Customer")


@app.get("/churnkey/features")
def features():
    lookups = {"retrieve": True, "list": True}
    return {"name": "Python shop", "controllers": {
        "customers": lookups | {"findByEmail": True, "findByPhone": True}, "prices": lookups | {"type": "standalone"},
        "coupons": lookups, "subscriptions": lookups,
    }, "actions": {"cancel": {"schedules": {"immediate": True, "end-of-period": False}}, "applyCoupon": {"enabled": True}}}


@app.get("/churnkey/customers/email/{email}")
def customer_by_email(request: Request, email: str):
    email = unquote_plus(email) if is_broken("plus-in-a-path-is-a-blank") else email
    fold = str if is_broken("letter-case-of-emails-matters") else str.casefold
    return find(request, lambda customer: fold(customer.get("email", "")) == fold(email))


@app.get("/churnkey/customers/phone/{phone}")
def customer_by_phone(request: Request, phone: str):
    digits = lambda number: re.sub("[ ()-]", "", number)
    return find(request, lambda customer: "phone" in customer and digits(customer["phone"]) == digits(phone))


@app.get("/churnkey/customers/{id}/subscriptions")
def subscriptions(request: Request, id: str):
    one(request.state.shop.customers, id, "Customer")
    own = (record for record in request.state.shop.subscriptions.values() if record["customerId"] == id)
    return page(request, list(own))


def subscription_of(shop, customer, id):
    own = {key: record for key, record in shop.subscriptions.items() if record["customerId"] == customer}
    return one(own, id, "Subscription")


@app.get("/churnkey/customers/{customer}/subscriptions/{id}")
def retrieve_subscription(request: Request, customer: str, id: str):
    return subscription_of(request.state.shop, customer, id)


@app.get("/churnkey/{kind}")
def records(request: Request, kind: str):
    if kind not in ("customers", "prices", "coupons"):
        raise HTTPException(404)
    return page(request, list(vars(request.state.shop)[kind].values()))


@app.get("/churnkey/{kind}/{id}")
def record(request: Request, kind: str, id: str):
    if kind not in ("customers", "prices", "coupons"):
        raise HTTPException(404)
    if kind == "customers" and is_broken("null-instead-of-404"):
        return request.state.shop.customers.get(id)
    return one(vars(request.state.shop)[kind], id, kind.removesuffix("s").title())


# Actions (contract, sections 5 and 7.5).


def text(body, *names):
    value = next((body[name] for name in names if body.get(name) is not None), None)
    if not isinstance(value, str) or not value:
        raise HTTPException(400, f"{names[0]} must be a text")
    return value


async def act(request, change):
    shop, sent, key = request.state.shop, await request.body(), request.headers.get("idempotency-key")
    try:
        body = json.loads(sent)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "The body must be a JSON object")
    use = (request.url.path, sent)
    if shop.done.get(key, use) != use:
        raise HTTPException(422, "This Idempotency-Key was used for another request")
    if key not in shop.done:
        change(shop, body)
    if key:
        shop.done[key] = use
    return Response()


@app.post("/churnkey/actions/subscription/cancel")
async def cancel(request: Request):
    def change(shop, body):
        customer, id = text(body, "customerId"), text(body, "subscriptionId")
        if text(body, "scheduledAt") != "immediate":
            raise HTTPException(400, "scheduledAt must be immediate")
        if not isinstance(body.get("unpause"), (bool, type(None))):
            raise HTTPException(400, "unpause must be true or false")
        record = subscription_of(shop, customer, id)
        if record["status"]["name"] != "canceled":
            record["status"] = {"name": "canceled", "canceledAt": written(now())}
        elif is_broken("canceled-twice-is-an-error"):
            raise HTTPException(400, "The subscription is canceled already")
    return await act(request, change)


@app.post("/churnkey/actions/subscription/apply-coupon")
async def apply_coupon(request: Request):
    def change(shop, body):
        customer, id, named = text(body, "customerId"), text(body, "subscriptionId"), text(body, "coupon", "couponId")
        record, applied = subscription_of(shop, customer, id), one(shop.coupons, named, "Coupon")
        if any(discount["coupon"]["id"] == named for discount in record["discounts"]):
            return
        if record["status"]["name"] == "canceled":
            raise HTTPException(400, "The subscription is canceled")
        if applied.get("expiresAt", "~") < written(now()):
            raise HTTPException(400, "The coupon has expired")
        record["discounts"].append({"coupon": applied, "start": written(now())})
    return await act(request, change)


# Without this, FastAPI would tell anybody which paths there are.
@app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing():
    raise HTTPException(404)


if __name__ == "__main__":
    # Only if the protocol is named, asyncio switches off the delay of small packets.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/churnkey", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
