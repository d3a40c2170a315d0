"""What the simulated shop sells and says, and the devices of its visitors. PURE: data only."""

from typing import NamedTuple

WEBSITE = "https://www.wanderzeit.example"
SHOP = "https://shop.wanderzeit.example"


class Page(NamedTuple):
    """A page, without its host."""

    path: str
    title: str


class Product(NamedTuple):
    """A product of the shop; the price is in euros."""

    sku: str
    name: str
    category: str
    price: float

    @property
    def page(self) -> Page:
        """Its page in the shop."""
        return Page(f"/{self.category}/{self.sku.lower()}", self.name)


class Source(NamedTuple):
    """What brings a visit: the referring page, and what it adds to the URL."""

    referrer: str = ""
    query: str = ""


CATEGORIES = {
    "rucksaecke": "Rucksäcke",
    "schuhe": "Schuhe",
    "bekleidung": "Bekleidung",
    "ausruestung": "Ausrüstung",
}

PRODUCTS = (
    Product("WZ-1001", "Wanderrucksack Alpin 35 l", "rucksaecke", 139.95),
    Product("WZ-1002", "Tagesrucksack Heide 18 l", "rucksaecke", 69.95),
    Product("WZ-2001", "Bergstiefel Karwendel GTX", "schuhe", 219.00),
    Product("WZ-2002", "Zustiegsschuh Elbsandstein", "schuhe", 149.90),
    Product("WZ-2003", "Wandersocken Merino, 2 Paar", "schuhe", 24.95),
    Product("WZ-3001", "Regenjacke Nordsee", "bekleidung", 179.00),
    Product("WZ-3002", "Fleecejacke Rhön", "bekleidung", 89.95),
    Product("WZ-3003", "Zip-Hose Allgäu", "bekleidung", 79.95),
    Product("WZ-4001", "Trekkingstöcke Carbon, Paar", "ausruestung", 99.90),
    Product("WZ-4002", "Stirnlampe 400 Lumen", "ausruestung", 39.95),
    Product("WZ-4003", "Trinkflasche Edelstahl 0,75 l", "ausruestung", 27.50),
    Product("WZ-4004", "Zelt Uckermark 2", "ausruestung", 329.00),
)

HOME = Page("/", "Wanderzeit: draußen zu Hause")
MAGAZINE = Page("/magazin/huettentour", "Von Hütte zu Hütte: die Packliste")
STORES = Page("/filialen", "Unsere Filialen")
HELP = Page("/hilfe", "Hilfe und Kontakt")
CART = Page("/warenkorb", "Warenkorb")
CHECKOUT = Page("/kasse", "Kasse")
THANKS = Page("/danke", "Vielen Dank für Ihre Bestellung")

DIRECT = Source()
GOOGLE = Source("https://www.google.com/")
NEWSLETTER = Source(query="utm_source=newsletter&utm_medium=email&utm_campaign=herbst")
SOURCES = (
    GOOGLE,
    Source("https://www.bing.com/"),
    Source("https://www.google.com/", "utm_source=google&utm_medium=cpc&gclid=Cj0KCQiA"),
    Source("https://www.instagram.com/", "utm_source=instagram&utm_medium=social"),
    DIRECT,
)

_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Chrome/141.0.0.0 Safari/537.36"
_ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {_BLINK}"
USER_AGENTS = (
    _WINDOWS,
    f"{_WINDOWS} Edg/141.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Safari/605.1.15",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
    f"{_ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36",
    f"{_ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
