DROP TRIGGER tr_queue_delete ON msg_queues;
DROP TRIGGER tr_queue_update ON msg_queues;
DROP TRIGGER tr_queue_insert ON msg_queues;

DROP FUNCTION on_queue_update;
DROP FUNCTION on_queue_delete;
DROP FUNCTION on_queue_insert;
DROP FUNCTION update_aggregates;
DROP FUNCTION update_all_aggregates;

ALTER TABLE services
  DROP COLUMN queue_ids_hash,
  DROP COLUMN queue_count;

DROP AGGREGATE xor_aggregate(bytea);
DROP FUNCTION xor_combine;
