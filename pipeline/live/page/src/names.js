// Names from the data as people say them: touchpoints, channels, sources, devices, models.

export const NAMES_DE = {
  "Page Viewed": "Besucht", "Screen Viewed": "Bildschirm angesehen", Identified: "Erkannt", Aliased: "Umbenannt", Grouped: "Gruppe zugeordnet",
  "Page Engaged": "Seite gelesen", "Page Slow": "Langsame Seite", "Script Error": "Skriptfehler", "Link Clicked": "Link geklickt",
  "File Downloaded": "Datei geladen", "Form Started": "Formular begonnen", "Form Left": "Formular verlassen", "Form Submitted": "Formular gesendet",
  "Signed Up": "Registriert", "Signed In": "Angemeldet",

  "Products Searched": "Gesucht", "Product List Viewed": "Liste angesehen", "Product List Filtered": "Liste gefiltert",
  "Product Clicked": "Produkt geklickt", "Product Viewed": "Produkt angesehen", "Products Compared": "Produkte verglichen", "Price Viewed": "Preis angesehen",
  "Product Added": "In den Korb", "Product Removed": "Aus dem Korb", "Cart Viewed": "Korb angesehen", "Cart Shared": "Korb geteilt",
  "Product Added to Wishlist": "Auf die Merkliste", "Product Removed from Wishlist": "Von der Merkliste", "Wishlist Product Added to Cart": "Von der Merkliste in den Korb",
  "Product Shared": "Produkt geteilt", "Product Reviewed": "Produkt bewertet", "Promotion Viewed": "Aktion angesehen", "Promotion Clicked": "Aktion geklickt",
  "Coupon Entered": "Gutschein eingegeben", "Coupon Applied": "Gutschein eingelöst", "Coupon Denied": "Gutschein abgelehnt", "Coupon Removed": "Gutschein entfernt",
  "Checkout Started": "Kasse", "Checkout Step Viewed": "Schritt der Kasse", "Checkout Step Completed": "Schritt der Kasse erledigt",
  "Shipping Information Viewed": "Versand angesehen", "Payment Info Entered": "Zahlung eingegeben", "Payment Failed": "Zahlung gescheitert",
  "Order Completed": "Bestellung", "Order Updated": "Bestellung geändert", "Order Cancelled": "Storniert", "Order Refunded": "Erstattet",
  "Order Shipped": "Versandt", "Order Delivered": "Geliefert", "Order Picked Up": "Abgeholt", "Order Returned": "Zurückgesandt",
  "Return Requested": "Rückgabe gewünscht", "Packaging Rated": "Verpackung bewertet", "Thank You Received": "Dank erhalten",

  "Email Sent": "Mail gesendet", "Email Delivered": "Mail zugestellt", "Email Opened": "Mail geöffnet", "Email Link Clicked": "Link in Mail geklickt",
  "Email Bounced": "Mail unzustellbar", "Email Deferred": "Mail verzögert", "Email Dropped": "Mail nicht gesendet", "Email Marked as Spam": "Als Spam gemeldet",
  "Email Address Changed": "Mailadresse geändert", "Profile Updated": "Profil geändert",
  Unsubscribed: "Abgemeldet", "Newsletter Unsubscribed": "Newsletter abbestellt", "Newsletter Subscribed": "Newsletter bestellt",

  "Ad Viewed": "Anzeige gesehen", "Ad Clicked": "Anzeige geklickt", "Display Seen": "Auslage gesehen", "Social Post Viewed": "Beitrag gesehen",
  "Offline Media Seen": "Werbung offline gesehen", "Magazine Read": "Magazin gelesen", "Catalogue Read": "Katalog gelesen", "Review Read": "Bewertung gelesen",
  "Referral Received": "Empfohlen bekommen", "Recommendation Made": "Weiterempfohlen", "Add-on Sold": "Dazu verkauft", "Advice Given": "Beraten", "Store Visited": "Im Laden",
  "Phone Call Received": "Angerufen", "Chat Started": "Chat begonnen", "Support Contacted": "Hilfe gesucht", "Complaint Made": "Beschwert",
  "Survey Answered": "Umfrage beantwortet",

  website: "Website", shop: "Shop", newsletter: "Newsletter", email: "E-Mail", app: "App", search: "Suche",
  social: "Soziale Medien", ads: "Anzeigen", referral: "Empfehlung", store: "Laden", phone: "Telefon", chat: "Chat",
  messenger: "Messenger", catalogue: "Katalog", order_card: "Bestellkarte", delivery: "Lieferung", support: "Hilfe",
  review: "Bewertung", survey: "Umfrage", desktop: "Computer", mobile: "Telefon", tablet: "Tablet",
  "Organic Search": "Organische Suche", "Paid Search": "Bezahlte Suche", Direct: "Direkt", Referral: "Verweis",
  "Organic Social": "Soziale Medien", "Paid Social": "Bezahlt, sozial", "Paid Other": "Andere Werbung",
  Unassigned: "Nicht zugeordnet", Newsletter: "Newsletter", Email: "E-Mail",
  lifecycle: "Lebenszyklus", aida: "AIDA", favorability: "Zuneigung", canvas: "Canvas", purchase: "Kauf",
};
export const NAMES_EN = {
  "Page Viewed": "Visited", "Checkout Started": "Checkout", "Order Completed": "Order", "Product Viewed": "Product viewed",
  "Product Added": "Product added", "Checkout Step Viewed": "Checkout step", order_card: "Order card", aida: "AIDA",
};
