-- Services, and the queues that belong to them.
CREATE TABLE services (
  service_id bytea NOT NULL,
  service_role text NOT NULL,
  service_cert bytea NOT NULL,
  service_cert_hash bytea NOT NULL,
  created_at bigint NOT NULL,
  CONSTRAINT services_pkey PRIMARY KEY (service_id),
  CONSTRAINT services_service_cert_hash_key UNIQUE (service_cert_hash)
);

CREATE INDEX idx_services_service_role ON services (service_role);

ALTER TABLE msg_queues
  ADD COLUMN rcv_service_id bytea
    CONSTRAINT msg_queues_rcv_service_id_fkey REFERENCES services (service_id)
    ON DELETE SET NULL ON UPDATE RESTRICT,
  ADD COLUMN ntf_service_id bytea
    CONSTRAINT msg_queues_ntf_service_id_fkey REFERENCES services (service_id)
    ON DELETE SET NULL ON UPDATE RESTRICT;

CREATE INDEX idx_msg_queues_rcv_service_id ON msg_queues (rcv_service_id, deleted_at);
CREATE INDEX idx_msg_queues_ntf_service_id ON msg_queues (ntf_service_id, deleted_at);
