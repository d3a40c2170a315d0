-- The visitors of one person are asked for all the time: for that, not all links are read.
ALTER TABLE identities ADD INDEX IF NOT EXISTS person person_id TYPE bloom_filter(0.001);

ALTER TABLE identities MATERIALIZE INDEX person;
