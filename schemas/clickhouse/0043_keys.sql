-- Questions look for all that many visitors did before: numbers are found faster than ids.
ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS visitor_key UInt64 MATERIALIZED cityHash64(visitor_id) COMMENT 'Hash of visitor_id: questions look and join by it';

ALTER TABLE sessions MATERIALIZE COLUMN visitor_key;

ALTER TABLE transitions
    ADD COLUMN IF NOT EXISTS visitor_key UInt64 MATERIALIZED cityHash64(visitor_id) COMMENT 'Hash of visitor_id: questions look and join by it';

ALTER TABLE transitions MATERIALIZE COLUMN visitor_key;

-- For a person who is opened on the live page, not all visits are read.
ALTER TABLE sessions ADD INDEX IF NOT EXISTS person person_id TYPE bloom_filter(0.001);

ALTER TABLE sessions MATERIALIZE INDEX person;
