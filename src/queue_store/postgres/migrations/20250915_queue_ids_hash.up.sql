-- How many queues a service has and the XOR of their ids' hashes, kept by triggers.
-- public.digest is the pgcrypto extension's.
CREATE FUNCTION xor_combine(state bytea, value bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  combined bytea := state;
BEGIN
  IF length(state) <> length(value) THEN
    RAISE EXCEPTION 'xor_combine: % bytes with % bytes', length(state), length(value);
  END IF;
  FOR i IN 0 .. length(state) - 1 LOOP
    combined := set_byte(combined, i, get_byte(state, i) # get_byte(value, i));
  END LOOP;
  RETURN combined;
END
$$;

CREATE AGGREGATE xor_aggregate(bytea) (
  SFUNC = xor_combine,
  STYPE = bytea,
  INITCOND = '\x00000000000000000000000000000000'
);

ALTER TABLE services
  ADD COLUMN queue_count bigint NOT NULL DEFAULT 0,
  ADD COLUMN queue_ids_hash bytea NOT NULL DEFAULT '\x00000000000000000000000000000000';

-- Services without a live queue are not touched, as in the reference.
CREATE FUNCTION update_all_aggregates() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  WITH live AS (
    SELECT s.service_id,
           count(*) AS queue_count,
           xor_aggregate(
             CASE
               WHEN s.service_role = 'M' THEN public.digest(q.recipient_id, 'md5')
               WHEN q.notifier_id IS NULL THEN '\x00000000000000000000000000000000'::bytea
               ELSE public.digest(q.notifier_id, 'md5')
             END
           ) AS queue_ids_hash
      FROM services s
      JOIN msg_queues q
        ON (s.service_role = 'M' AND q.rcv_service_id = s.service_id)
        OR (s.service_role = 'N' AND q.ntf_service_id = s.service_id)
      WHERE q.deleted_at IS NULL
      GROUP BY s.service_id
  )
  UPDATE services s
    SET queue_count = live.queue_count, queue_ids_hash = live.queue_ids_hash
    FROM live
    WHERE s.service_id = live.service_id;
END
$$;

SELECT update_all_aggregates();

-- A service whose role is another has no such queues.
CREATE FUNCTION update_aggregates(
  p_service_id bytea, p_role text, p_queue_id bytea, p_change bigint
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE services
    SET queue_count = queue_count + p_change,
        queue_ids_hash = xor_combine(queue_ids_hash, public.digest(p_queue_id, 'md5'))
    WHERE service_id = p_service_id AND service_role = p_role;
END
$$;

-- The time of deletion is not looked at, as in the reference.
CREATE FUNCTION on_queue_insert() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.rcv_service_id IS NOT NULL THEN
    PERFORM update_aggregates(NEW.rcv_service_id, 'M', NEW.recipient_id, 1);
  END IF;
  IF NEW.ntf_service_id IS NOT NULL AND NEW.notifier_id IS NOT NULL THEN
    PERFORM update_aggregates(NEW.ntf_service_id, 'N', NEW.notifier_id, 1);
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION on_queue_delete() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.deleted_at IS NOT NULL THEN
    RETURN OLD;
  END IF;
  IF OLD.rcv_service_id IS NOT NULL THEN
    PERFORM update_aggregates(OLD.rcv_service_id, 'M', OLD.recipient_id, -1);
  END IF;
  IF OLD.ntf_service_id IS NOT NULL AND OLD.notifier_id IS NOT NULL THEN
    PERFORM update_aggregates(OLD.ntf_service_id, 'N', OLD.notifier_id, -1);
  END IF;
  RETURN OLD;
END
$$;

-- Each party by itself: what counted and no longer does leaves, what counts now enters, and what moved
-- to another service, or got another notifier id, does both.
CREATE FUNCTION on_queue_update() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  counted boolean;
  counts boolean;
  moved boolean;
BEGIN
  counted := OLD.deleted_at IS NULL AND OLD.rcv_service_id IS NOT NULL;
  counts := NEW.deleted_at IS NULL AND NEW.rcv_service_id IS NOT NULL;
  moved := counted AND counts AND OLD.rcv_service_id <> NEW.rcv_service_id;
  IF counted AND (moved OR NOT counts) THEN
    PERFORM update_aggregates(OLD.rcv_service_id, 'M', OLD.recipient_id, -1);
  END IF;
  IF counts AND (moved OR NOT counted) THEN
    PERFORM update_aggregates(NEW.rcv_service_id, 'M', NEW.recipient_id, 1);
  END IF;

  counted := OLD.deleted_at IS NULL
    AND OLD.ntf_service_id IS NOT NULL AND OLD.notifier_id IS NOT NULL;
  counts := NEW.deleted_at IS NULL
    AND NEW.ntf_service_id IS NOT NULL AND NEW.notifier_id IS NOT NULL;
  moved := counted AND counts
    AND (OLD.ntf_service_id <> NEW.ntf_service_id OR OLD.notifier_id <> NEW.notifier_id);
  IF counted AND (moved OR NOT counts) THEN
    PERFORM update_aggregates(OLD.ntf_service_id, 'N', OLD.notifier_id, -1);
  END IF;
  IF counts AND (moved OR NOT counted) THEN
    PERFORM update_aggregates(NEW.ntf_service_id, 'N', NEW.notifier_id, 1);
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER tr_queue_insert AFTER INSERT ON msg_queues
  FOR EACH ROW EXECUTE FUNCTION on_queue_insert();
CREATE TRIGGER tr_queue_update AFTER UPDATE ON msg_queues
  FOR EACH ROW EXECUTE FUNCTION on_queue_update();
CREATE TRIGGER tr_queue_delete AFTER DELETE ON msg_queues
  FOR EACH ROW EXECUTE FUNCTION on_queue_delete();
