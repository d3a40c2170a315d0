-- Who is who. A visitor (a device, a mailbox, a customer number at the till) belongs to a person;
-- links that become known later join people, so rows name the person that was known when they were
-- written, and the views below the person known now.

CREATE TABLE identities
(
    site            LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id      String COMMENT 'The device, or user:<id> without one; or an identifier itself',
    person_id       String COMMENT 'The human, by all links known now',
    kafka_partition UInt32 COMMENT 'Position in touchpoints.raw',
    version         UInt64 COMMENT 'Offset of the record that wrote this row',
    is_deleted      UInt8 COMMENT '1: the visitor is a person of its own again'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (site, visitor_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Which person a linked visitor is; a visitor that is not here is a person of its own';

CREATE TABLE links
(
    site            LowCardinality(String) COMMENT 'Shop or brand',
    visitor_id      String COMMENT 'The device, or user:<id> without one',
    identifier      String COMMENT 'user:<id>, customer:<id>, email:<SHA-256> or subscriber:<id>',
    kafka_partition UInt32 COMMENT 'Position in touchpoints.raw',
    version         UInt64 COMMENT 'Offset of the record that wrote this row',
    is_deleted      UInt8 COMMENT 'Always 0'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (site, identifier, visitor_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Visitors and the identifiers they were seen with; identities is what follows from them';

CREATE VIEW person_sessions AS
SELECT s.* REPLACE (if(i.person_id = '', s.person_id, i.person_id) AS person_id)
FROM (SELECT * FROM sessions FINAL) AS s
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON s.site = i.site AND s.visitor_id = i.visitor_id
COMMENT 'Sessions with the person as known now';

CREATE VIEW person_transitions AS
SELECT t.* REPLACE (if(i.person_id = '', t.person_id, i.person_id) AS person_id)
FROM (SELECT * FROM transitions FINAL) AS t
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON t.site = i.site AND t.visitor_id = i.visitor_id
COMMENT 'Transitions with the person as known now';

CREATE VIEW person_abandonments AS
SELECT a.* REPLACE (if(i.person_id = '', a.person_id, i.person_id) AS person_id)
FROM (SELECT * FROM abandonments FINAL) AS a
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON a.site = i.site AND a.visitor_id = i.visitor_id
COMMENT 'Abandonments with the person as known now';

CREATE VIEW person_touchpoints AS
SELECT t.* REPLACE (if(i.person_id = '', t.person_id, i.person_id) AS person_id)
FROM session_touchpoints AS t
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON t.site = i.site AND t.visitor_id = i.visitor_id
COMMENT 'Touchpoints with their session, and with the person as known now';

-- One row for a person instead of one for a visitor: the links say more than the first user id.
DROP VIEW IF EXISTS people;

DROP VIEW IF EXISTS visitor_links_mv;

DROP TABLE IF EXISTS visitor_links;

CREATE VIEW people
(
    site        LowCardinality(String) COMMENT 'Shop or brand',
    person_id   String COMMENT 'The human, by all links known now',
    visitors    Array(String) COMMENT 'The devices, and users without one',
    identifiers Array(String) COMMENT 'What joins them: user:<id>, email:<SHA-256>, …'
)
AS
SELECT i.site AS site, i.person_id AS person_id,
    arraySort(groupUniqArrayIf(i.visitor_id, NOT is_identifier)) AS visitors,
    arraySort(groupUniqArrayIf(i.visitor_id, is_identifier)) AS identifiers
FROM
(
    SELECT site, person_id, visitor_id,
        (site, visitor_id) IN (SELECT site, identifier FROM links) AS is_identifier
    FROM identities FINAL
) AS i
GROUP BY site, person_id
COMMENT 'People with several visitors or an identifier; every other visitor is a person of its own';
