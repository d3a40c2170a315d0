// Why something was refused, in English and in German. docs/errors.md says what to do about each.

export const REASONS = {
  not_json: ["This is not JSON", "Das ist kein JSON"],
  not_an_object: ["This is JSON, but not an object", "Das ist JSON, aber kein Objekt"],
  missing_field: ["A field is missing", "Ein Feld fehlt"],
  invalid_field: ["A field has a wrong value", "Ein Feld hat einen falschen Wert"],
  no_visitor_id: ["No visitor is named", "Kein Besucher ist genannt"],
  unknown_type: ["The type is unknown", "Der Typ ist unbekannt"],
  unknown_channel: ["The channel is unknown", "Der Kanal ist unbekannt"],
  invalid_time: ["The time cannot be read", "Die Zeit ist nicht lesbar"],
  time_out_of_range: ["The time is too far in the past or the future", "Die Zeit liegt zu weit zurück oder voraus"],
  too_deep: ["It is nested too deeply", "Es ist zu tief verschachtelt"],
  too_many_names: ["The site has used up its new names for today", "Der Shop hat seine neuen Namen für heute verbraucht"],
  too_large: ["It is too large", "Es ist zu groß"],
  no_consent: ["The visitor has not consented", "Der Besucher hat nicht eingewilligt"],
  wrong_partition: ["It is in the wrong partition", "Es liegt in der falschen Partition"],
  refused_by_clickhouse: ["ClickHouse refused the row", "ClickHouse hat die Zeile abgelehnt"],
  not_delivered: ["The endpoint did not take it", "Der Empfänger hat es nicht angenommen"],

  unknown_write_key: ["The write key is unknown", "Der Schreibschlüssel ist unbekannt"],
  key_expired: ["The write key has expired", "Der Schreibschlüssel ist abgelaufen"],
  origin_not_allowed: ["This page may not send", "Diese Seite darf nicht senden"],
  too_many_requests: ["The network sends too much", "Das Netz sendet zu viel"],
  quota_exceeded: ["The quota of the day is used up", "Das Kontingent des Tages ist verbraucht"],
  not_found: ["There is no such path", "Diesen Pfad gibt es nicht"],
  too_slow: ["The body came too slowly", "Der Inhalt kam zu langsam"],
  broken_gzip: ["The compressed body is broken", "Der komprimierte Inhalt ist beschädigt"],
  unsupported_encoding: ["The compression is unknown", "Die Kompression ist unbekannt"],
  bad_signature: ["The signature is wrong", "Die Signatur ist falsch"],
  unavailable: ["Kafka does not answer", "Kafka antwortet nicht"],
};

/** Where something was refused. */
export const STAGES = {
  collect: ["collector", "Collector"],
  import: ["import", "Import"],
  track: ["tracker", "Tracker"],
  sink: ["sink", "Sink"],
  webhook: ["webhook", "Webhook"],
};
