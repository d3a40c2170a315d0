-- Six kinds of abandonment, with what was at stake, why it ended, and what brought it back.

ALTER TABLE abandonments
    ADD COLUMN IF NOT EXISTS contents Array(Tuple(product_id String, name String, quantity UInt32, price Decimal(38, 8)))
        COMMENT 'At stake; quantity 0: only viewed; products after the 50th share one entry without id' AFTER currency,
    ADD COLUMN IF NOT EXISTS cause LowCardinality(String)
        COMMENT 'Presumed: script_error, slow_page, payment_error, complaint, or empty' AFTER contents,
    ADD COLUMN IF NOT EXISTS cause_touchpoint_id String
        COMMENT 'The touchpoint that suggests the cause' AFTER cause,
    ADD COLUMN IF NOT EXISTS recovered_touchpoint_id String
        COMMENT 'The touchpoint that recovered it' AFTER recovered_channel;

ALTER TABLE abandonments
    COMMENT COLUMN kind 'browse, cart, checkout, form, newsletter or journey',
    COMMENT COLUMN session_id 'The session it ended in',
    COMMENT COLUMN step 'Where it ended: a step, a form and its last field, the phase of a journey',
    COMMENT COLUMN opened_at 'The touchpoint that began it',
    COMMENT COLUMN last_touchpoint_at 'Last touchpoint before the silence; of a newsletter: its last mail, or the farewell',
    COMMENT COLUMN last_touchpoint_id 'Last touchpoint before the silence; of a newsletter: its last mail, or the farewell',
    COMMENT COLUMN last_path 'The last path of that session that is not empty',
    COMMENT COLUMN abandoned_at 'last_touchpoint_at plus the timeout of the rule; a farewell counts at once',
    COMMENT COLUMN items 'At stake: sum of the quantities in contents',
    COMMENT COLUMN value 'At stake: sum of contents',
    COMMENT COLUMN recovered_at 'What it had waited for came after all, within the recovery time',
    COMMENT COLUMN recovered_channel 'Where that happened';

ALTER TABLE abandonments
    MODIFY COMMENT 'What was begun and left behind: silence for longer than the timeout of the rule, or an unsubscription';

-- A view keeps the columns that it was made with.
CREATE OR REPLACE VIEW person_abandonments AS
SELECT a.* REPLACE (if(i.person_id = '', a.person_id, i.person_id) AS person_id)
FROM (SELECT * FROM abandonments FINAL) AS a
LEFT JOIN (SELECT site, visitor_id, person_id FROM identities FINAL) AS i
    ON a.site = i.site AND a.visitor_id = i.visitor_id
COMMENT 'Abandonments with the person as known now';
