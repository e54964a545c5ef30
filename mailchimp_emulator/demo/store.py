"""The shop of the demo: products, customers who are contacts, and their orders and carts.

Public source: https://mailchimp.com/developer/marketing/api/ecommerce-stores/
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from mailchimp_emulator.account import Account
from mailchimp_emulator.demo.sends import Send
from mailchimp_emulator.demo.serving import DAY, Json, Served, collection
from mailchimp_emulator.models import Member
from mailchimp_emulator.times import format_second

STORE_ID = "northwind-shop"
_STORES = "/ecommerce/stores"
_BELOW: dict[str, Any] = {"parent": _STORES, "names": {"store_id": "store_id"}, "around": ("store_id",)}
_CUSTOMERS, _ORDERS, _CARTS = 60, 90, 8
_PRODUCTS = (
    ("alpine-tent", "Alpine tent for two", "Tents", ("Green", "Sand"), 389.0),
    ("rain-shell", "Rain shell", "Clothing", ("S", "M", "L"), 149.0),
    ("down-jacket", "Down jacket", "Clothing", ("S", "M", "L"), 229.0),
    ("rope-60", "Climbing rope, 60 m", "Climbing", ("9.5 mm",), 179.0),
    ("harness", "Climbing harness", "Climbing", ("S/M", "L/XL"), 69.0),
    ("camp-stove", "Camp stove", "Cooking", ("Gas",), 54.5),
    ("trail-map", "Trail map of the coast", "Maps", ("Paper", "Waterproof"), 12.9),
    ("wool-socks", "Wool socks", "Clothing", ("39-42", "43-46"), 18.0),
)


@dataclass(frozen=True, slots=True)
class _Sale:
    """What somebody bought, or left in a cart."""

    id: str
    member: Member
    lines: list[Json]
    at: int
    campaign_id: str

    @property
    def total(self) -> float:
        """What the lines cost together."""
        return round(sum(float(line["quantity"] * line["price"]) for line in self.lines), 2)


def store(account: Account, sends: list[Send], now: int) -> list[Served]:
    """The store and all below it; orders stand a second time without their store."""
    audience = next(found for found in account.audiences.values() if found.name == "Northwind Customers")
    chance = random.Random("store")
    buyers = list(audience.ordered["subscribed"][:_CUSTOMERS])
    orders = [_sale(f"NW-{1001 + number}", chance, buyers, now, sends) for number in range(_ORDERS)]
    carts = [_sale(f"cart-{number + 1}", chance, buyers, now, []) for number in range(_CARTS)]
    below = f"{_STORES}/{STORE_ID}"
    shown = [_order(order) for order in orders]
    customers = [_customer(member, orders) for member in buyers]
    return [
        collection(_STORES, "stores", {_STORES: [_store(audience.id, now)]}),
        collection(
            _STORES + "/{store_id}/products",
            "products",
            {f"{below}/products": [_product(*row, times=_times(now)) for row in _PRODUCTS]},
            **_BELOW,
        ),
        collection(_STORES + "/{store_id}/customers", "customers", {f"{below}/customers": customers}, **_BELOW),
        collection(_STORES + "/{store_id}/orders", "orders", {f"{below}/orders": shown}, **_BELOW),
        collection(_STORES + "/{store_id}/carts", "carts", {f"{below}/carts": [_cart(cart) for cart in carts]}, **_BELOW),
        collection("/ecommerce/orders", "orders", {"/ecommerce/orders": shown}),
    ]


def _store(list_id: str, now: int) -> Json:
    return {
        "id": STORE_ID,
        "list_id": list_id,
        "name": "Northwind Outdoor Shop",
        "platform": "Custom",
        "domain": "northwind.example",
        "is_syncing": False,
        "email_address": "shop@northwind.example",
        "currency_code": "USD",
        "money_format": "$",
        "primary_locale": "en",
        "timezone": "America/Los_Angeles",
        "phone": "",
        "address": {
            "address1": "12 Harbour Street",
            "city": "Portland",
            "province_code": "OR",
            "postal_code": "97201",
            "country_code": "US",
        },
        "list_is_active": True,
        "created_at": format_second(now - 400 * DAY),
        "updated_at": format_second(now - DAY),
    }


def _times(now: int) -> Json:
    return {"created_at": format_second(now - 390 * DAY), "updated_at": format_second(now - 20 * DAY)}


def _product(key: str, title: str, kind: str, variants: tuple[str, ...], price: float, *, times: Json) -> Json:
    url = f"https://northwind.example/p/{key}"
    return {
        "id": key,
        "currency_code": "USD",
        "title": title,
        "handle": key,
        "url": url,
        "description": f"{title} from Northwind Outdoor.",
        "type": kind,
        "vendor": "Northwind Outdoor",
        "image_url": f"{url}.png",
        "variants": [
            {
                "id": f"{key}-{number}",
                "title": name,
                "url": url,
                "sku": f"{key.upper()}-{number}",
                "price": price,
                "inventory_quantity": 7 * number + 3,
                "image_url": f"{url}.png",
                "backorders": "",
                "visibility": "visible",
                **times,
            }
            for number, name in enumerate(variants, 1)
        ],
        "images": [{"id": f"{key}-front", "url": f"{url}.png", "variant_ids": []}],
        "published_at_foreign": times["created_at"],
    }


def _sale(key: str, chance: random.Random, buyers: list[Member], now: int, sends: list[Send]) -> _Sale:
    at = now - DAY - chance.randrange(360 * DAY)
    lines = []
    for number in range(chance.randint(1, 3)):
        product, title, _, variants, price = chance.choice(_PRODUCTS)
        place = chance.randrange(len(variants))
        lines.append(
            {
                "id": f"{key}-{number + 1}",
                "product_id": product,
                "product_title": title,
                "product_variant_id": f"{product}-{place + 1}",
                "product_variant_title": variants[place],
                "quantity": chance.randint(1, 2),
                "price": price,
                "discount": 0,
            }
        )
    member = chance.choice(buyers)
    return _Sale(key, member, lines, at, _campaign_behind(member, at, sends))


def _campaign_behind(member: Member, at: int, sends: list[Send]) -> str:
    """The last campaign of the month before that the buyer opened."""
    opened = [
        send.id
        for send in sends
        if 0 <= at - send.at < 30 * DAY and any(receipt.member is member and receipt.opened for receipt in send.receipts)
    ]
    return opened[-1] if opened else ""


def _customer(member: Member, orders: list[_Sale]) -> Json:
    own = [order for order in orders if order.member is member]
    first = min((order.at for order in own), default=member.timestamp_opt)
    return {
        "id": f"customer-{member.seq + 1}",
        "email_address": member.email,
        "opt_in_status": True,
        "company": member.merge_fields.get("COMPANY", ""),
        "first_name": member.merge_fields.get("FNAME", ""),
        "last_name": member.merge_fields.get("LNAME", ""),
        "orders_count": len(own),
        "total_spent": round(sum(order.total for order in own), 2),
        "created_at": format_second(first),
        "updated_at": format_second(max((order.at for order in own), default=first)),
    }


def _order(order: _Sale) -> Json:
    return {
        "id": order.id,
        "customer": _customer(order.member, [order]),
        "store_id": STORE_ID,
        "campaign_id": order.campaign_id,
        "landing_site": "https://northwind.example/",
        "financial_status": "paid",
        "fulfillment_status": "shipped",
        "currency_code": "USD",
        "order_total": order.total,
        "order_url": f"https://northwind.example/orders/{order.id}",
        "discount_total": 0,
        "tax_total": 0,
        "shipping_total": 0,
        "processed_at_foreign": format_second(order.at),
        "cancelled_at_foreign": "",
        "updated_at_foreign": format_second(order.at),
        "promos": [],
        "lines": order.lines,
    }


def _cart(cart: _Sale) -> Json:
    return {
        "id": cart.id,
        "customer": _customer(cart.member, []),
        "campaign_id": "",
        "checkout_url": f"https://northwind.example/cart/{cart.id}",
        "currency_code": "USD",
        "order_total": cart.total,
        "tax_total": 0,
        "lines": [{name: value for name, value in line.items() if name != "discount"} for line in cart.lines],
        "created_at": format_second(cart.at),
        "updated_at": format_second(cart.at),
    }
