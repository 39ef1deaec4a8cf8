DROP INDEX idx_msg_queues_ntf_service_id;
DROP INDEX idx_msg_queues_rcv_service_id;

ALTER TABLE msg_queues
  DROP COLUMN ntf_service_id,
  DROP COLUMN rcv_service_id;

DROP TABLE services;
